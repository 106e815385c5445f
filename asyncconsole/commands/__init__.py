"""One file per command: options to a query on a snapshot to a result."""

ROOM = frozenset(
    {
        "changes",
        "command",
        "deeds",
        "dispatch",
        "filters",
        "findings",
        "flame",
        "freed",
        "links",
        "phrases",
        "port",
        "resort",
    }
    | {"board", "keys", "live", "select", "sheets", "slow", "verdict", "views"}
)
"""Modules of this folder that are not commands."""

ALIASES = frozenset({"ca", "d", "doc", "q", "quit", "?", "h", "l", "p", "pt", "st", "t", "w", "wt"})
"""Other names of commands, known without loading them: `asyncconsole.command` refuses them."""
