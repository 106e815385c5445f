"""How long a loop needs to answer, asked on request: that wakes it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from asyncconsole.stall.beat import Beat, send

if TYPE_CHECKING:
    from asyncconsole.capture.loops import LoopBook


class Questions:
    """Asked on the side loop, of loops that may be blocked.

    Args:
        book: The loops.
    """

    def __init__(self, book: LoopBook) -> None:
        self._book = book
        self._open: dict[int, Beat] = {}

    async def ask(self, number: int, timeout: float) -> float | None:
        """Wake a loop and measure how long it needs to answer.

        A loop that has not answered the last question is not asked another one.

        Args:
            number: The loop.
            timeout: Seconds to wait.

        Returns:
            Seconds it needed, or None when it doesn't run or didn't answer in time.
        """
        loop = self._book.loop(number)
        running = {fact.number for fact in self._book.find() if fact.running}
        for gone in set(self._open) - running:
            del self._open[gone]
        if loop is None or number not in running:
            return None
        beat = self._open.get(number)
        if beat is None:
            beat = send(loop)
            del loop
            if beat is None:
                return None
            self._open[number] = beat
        end = time.monotonic() + timeout
        pause = 0.0005
        while beat.answered is None and (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, 0.05)
        if beat.answered is None:
            return None
        if self._open.get(number) is beat:
            del self._open[number]
        return beat.answered - beat.sent
