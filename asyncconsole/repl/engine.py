"""What a REPL engine is."""

from __future__ import annotations

from typing import Protocol

from asyncconsole.commands.port import ReplTarget, Terminal


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
