"""Telling the author of a statement that it blocks the program."""

from __future__ import annotations

from asyncconsole.commands.port import ReplTarget
from asyncconsole.model import Stall


class Watch:
    """What the stall probe sees of one statement.

    Args:
        target: The program.
        loop: Number of the loop that the statement runs in; None for one beside the program.
    """

    def __init__(self, target: ReplTarget, loop: int | None) -> None:
        self._target = target
        self._loop = loop
        self._before = {stall.id for stall in target.stalls()} if loop is not None else set()
        self._seen: set[int] = set()

    def look(self, runs: bool) -> str:
        """A warning, once, when the probe sees that the statement blocks its loop.

        Args:
            runs: Whether the statement keeps the loop's thread busy right now.
        """
        if self._loop is None or not runs or self._seen:
            return ""
        for stall in self._target.stalls():
            if stall.loop == self._loop and stall.ongoing and stall.id not in self._before:
                self._seen.add(stall.id)
                return (
                    f"This statement has blocked loop {self._loop}, and all of the program's tasks "
                    f"in it, for {stall.duration:.1f} s. Ctrl-C stops it."
                )
        return ""

    def sum_up(self) -> str:
        """A line for when it has ended: for how long it blocked the loop; "" for not at all."""
        if self._loop is None:
            return ""
        found = [
            stall
            for stall in self._target.stalls()
            if stall.loop == self._loop and (stall.id in self._seen or self._is_its(stall))
        ]
        if not found:
            return ""
        longest = max(stall.duration for stall in found)
        return (
            f"[it blocked loop {self._loop} for {longest:.1f} s: `await asyncio.to_thread(...)` or "
            "`console --side` spares the program; `stalls` tells more]\n"
        )

    def _is_its(self, stall: Stall) -> bool:
        """Whether a stall too short to be seen while it lasted was the statement's."""
        return (
            stall.id not in self._before
            and stall.frame is not None
            and stall.frame.file.startswith("<console")
        )
