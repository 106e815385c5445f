"""Snapshots to findings. Pure: everything here can be tested from plain data."""

from asyncconsole.diagnose.verdict import confirm, examine

__all__ = ["confirm", "examine"]
