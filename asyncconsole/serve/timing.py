"""Timing of callbacks, as long as somebody wants it. Runs on the console's side loop."""

from __future__ import annotations

import asyncio

from asyncconsole.capture.roll import Roll
from asyncconsole.model.callbacks import Polls
from asyncconsole.model.status import ProbeStatus
from asyncconsole.stall.polls import PAUSE, PollHook


class Timing:
    """The hook, and looks at where slow callbacks are.

    Args:
        loop: The side loop.
        roll: The program's loops and tasks.

    Attributes:
        hook: What times.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, roll: Roll) -> None:
        self._loop = loop
        self._roll = roll
        self._timer: asyncio.TimerHandle | None = None
        self.hook = PollHook(roll.loops)

    def configure(self, on: bool | None, slow: float | None) -> None:
        """Begin anew, or stop; None leaves it as it is.

        Args:
            on: Whether callbacks are timed.
            slow: Seconds from which one is slow.
        """
        if on:
            self.hook.switch_on(slow)
            self._rest()
            self._look()
        elif on is False:
            self.hook.switch_off()
            self._rest()

    def status(self, probe: ProbeStatus) -> ProbeStatus:
        """The probe's settings with ours."""
        return probe._replace(polls=self.hook.on and not self.hook.broken, slow=self.hook.slow)

    def polls(self, number: int) -> Polls | None:
        """The steps of a task."""
        task = self._roll.find(number)
        return None if task is None else self.hook.polls(task)

    def close(self) -> None:
        """Take everything off; may be called again."""
        self._rest()
        self.hook.clear()

    def _look(self) -> None:
        self._timer = self._loop.call_later(PAUSE, self._look)
        self.hook.look()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
