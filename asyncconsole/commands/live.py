"""What ``watch`` and ``top`` need besides target and terminal: keys, and looks that are shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from asyncconsole.commands.port import Scope, Terminal
from asyncconsole.model import Snapshot

SLICE = 64 * 1024
"""Characters that are written before the client must have taken most of them."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is wanted; clients that want it alike share one.

    Attributes:
        json: One document.
        width: Columns.
        colour: With escape codes.
        person: A person reads it, and no script.
        rows: Rows of a table that are of use; None for all.
        limit: Seconds that the client waits; None for the command's own deadline.
    """

    json: bool = False
    width: int = 80
    colour: bool = False
    person: bool = True
    rows: int | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A command's answer.

    Attributes:
        text: As the manner asks; ends in a newline unless empty.
        error: One line; "" when it went well.
        code: 0, 1, 2 or 4.
        cost: Seconds of CPU that it took.
    """

    text: str = ""
    error: str = ""
    code: int = 0
    cost: float = 0.0


class Looks(Protocol):
    """Looks again and again for several who want to know the same."""

    async def answer(self, line: str, fresh: float, manner: Manner) -> Seen:
        """What a command that only reads answers now; errors are part of it.

        Args:
            line: The command.
            fresh: Seconds that an answer to somebody else may be old.
            manner: How it is wanted.
        """

    async def snapshot(self, scope: Scope, fresh: float) -> Snapshot:
        """The program, as of ``fresh`` seconds ago or less.

        Raises:
            DeadlineError: It could not be read in time.
        """


async def say(terminal: Terminal, text: str) -> None:
    """Write in slices, each after the client has taken most of the one before."""
    for start in range(0, len(text), SLICE):
        terminal.write(text[start : start + SLICE])
        await terminal.drain()
