"""The looks that the side thread takes now and then, and what they tell of the past."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asyncconsole.capture import complaints, history
from asyncconsole.model.ended import joined

if TYPE_CHECKING:
    import asyncio

    from asyncconsole.capture.roll import Roll
    from asyncconsole.model.ended import Ended

SELDOM = 2.0
"""Seconds between looks at what tasks wait on, so that waits get an age, at the most."""

SHARE = 0.001
"""Share of a CPU's time for these looks: in programs with few tasks they come with each beat,
and fewer tasks end unseen between two."""

MOST = 2_000
"""Tasks above which these looks are left out: they would cost too much."""


EARLY = 10.0
"""Seconds in which looks come more often: much is started, and fails, when a program starts."""

BRISK = 0.05
"""Seconds between those, at the least, and `OFTEN` times the share."""

OFTEN = 3


class Past:
    """What is known of tasks that have ended, with nothing patched.

    All but `ended` belongs to the side thread.

    Args:
        roll: The program.
    """

    def __init__(self, roll: Roll) -> None:
        self._roll = roll
        self._due = self._end = self._cost = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._history = history.History(roll.tasks.of)
        self._complaints = complaints.Complaints(roll.tasks.fresh)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to hear what asyncio logs, and to look; ``loop``: the console's own."""
        self._complaints.install()
        self._end = time.monotonic() + EARLY
        self._early(loop)

    def _early(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look now, and soon again."""
        self._timer = None
        self._due = 0.0
        self.look()
        if time.monotonic() < self._end:
            pause = max(BRISK, self._cost / (SHARE * OFTEN))
            self._timer = loop.call_later(pause, self._early, loop)

    def close(self) -> None:
        """Take the filter off, and forget."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._complaints.remove()
        self._history.clear()

    def look(self) -> bool:
        """With each beat: look if it is time.

        Returns:
            True when it was.
        """
        if time.monotonic() < self._due:
            return False
        began = time.thread_time()
        tasks = self._roll.observe(MOST)
        if tasks is None:
            self._history.check()
            self._cost = SELDOM * SHARE * OFTEN
            pause = SELDOM
        else:
            self._history.look(tasks)
            self._cost = time.thread_time() - began
            pause = min(SELDOM, self._cost / SHARE)
        self._due = time.monotonic() + pause
        return True

    def ended(self, tracked: Sequence[Ended]) -> list[Ended]:
        """Tasks that have ended: as tracked, as seen, and as asyncio complained of them."""
        self._history.check()
        return joined((tracked, self._history.ended()), self._complaints.ended())
