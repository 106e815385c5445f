"""Opt-in hooks: who created each task, how it ended, who has each lock. All come off again."""
