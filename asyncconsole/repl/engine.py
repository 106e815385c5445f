"""What a REPL engine is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from asyncconsole.commands.port import ReplTarget, Terminal
from asyncconsole.repl.statement import Outcome, Scope
from asyncconsole.repl.work import Work

NOTHING = object()
"""The code of lines that say nothing: blank ones, comments."""


class Engine(Protocol):
    """Reads statements from a terminal and runs them in a program."""

    async def run(
        self, terminal: Terminal, target: ReplTarget, loop: int | None = None, *, side: bool = False
    ) -> None:
        """One session, until the person leaves it.

        Args:
            terminal: Where statements come from and answers go.
            target: The program.
            loop: Number of the loop to run statements in; None for the first running one.
            side: Run them in a loop of the console's own, beside the program.

        Raises:
            UnknownItemError: The program has no loop of that number.
            asyncio.CancelledError: The client left. A running statement was told to stop.
        """


class Language(Protocol):
    """What the engines differ in: how lines become statements. One for each session.

    Attributes:
        name: For the greeting; "" for plain Python.
    """

    name: str

    def compile(self, lines: list[str]) -> Any:
        """What `statement` needs; None when more lines are to come, `NOTHING` for none.

        Raises:
            SyntaxError: And the others in `asyncconsole.repl.source.UNREADABLE`.
        """

    def statement(self, code: Any, scope: Scope, ended: Callable[[], None]) -> Work[Outcome]:
        """What `compile` gave, ready to begin."""

    def forget(self) -> None:
        """The session is over."""
