"""Something to be done on a loop of the program, once, by its own thread, or not at all.

Handed over with ``call_soon_threadsafe``. A loop that is blocked does it when it runs its
callbacks again; until then it can be taken back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

POLL = 0.005
"""Seconds between looks at what comes of something."""

CLOSED = "its loop is closed"


class Errand:
    """One thing to be done on a loop; starts on its way when it is made.

    Args:
        loop: The loop.
        do: Does it and returns "", or why it was not done; called at most once.

    Attributes:
        done: When it was done or refused (monotonic), or None.
        refused: Why it was not done, or "".
    """

    def __init__(self, loop: Any, do: Callable[[], str]) -> None:
        self.done: float | None = None
        self.refused = ""
        # Whoever takes the function out of the list has it: the loop, or who takes it back.
        self._open = [do]
        try:
            loop.call_soon_threadsafe(self._run)
        except RuntimeError:
            self._open.clear()
            self._end(CLOSED)

    def _run(self) -> None:
        """On the loop."""
        try:
            do = self._open.pop()
        except IndexError:
            return  # it was taken back
        try:
            refused = do()
        except Exception as error:
            refused = f"it raised {type(error).__name__}: {error}"[:200]
        self._end(refused)

    def _end(self, refused: str) -> None:
        self.refused = refused
        self.done = time.monotonic()

    def take_back(self) -> bool:
        """Never do it; False when it has been done or is about to be."""
        try:
            self._open.pop()
        except IndexError:
            return False
        return True

    async def watch(self, seconds: float, settled: Callable[[], bool]) -> bool:
        """Wait until it is refused, or done and ``settled()``; False when time is up."""
        end = time.monotonic() + seconds
        while True:
            if self.done is not None and (self.refused or settled()):
                return True
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(POLL)
