"""Told of a stall once it has lasted for so long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncconsole.stall.clocks import SLACK

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from asyncconsole.model import Stall
    from asyncconsole.stall.probe import Probe


class Alarm:
    """A listener (`News.listen`) that sets a timer for every stall; lives on the side thread.

    Args:
        loop: The side loop.
        probe: Watches the program.
        seconds: How long a stall must have lasted.
        ring: Gets the stall, which goes on; at most once for each.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        probe: Probe,
        seconds: float,
        ring: Callable[[Stall], object],
    ) -> None:
        self._loop = loop
        self._probe = probe
        self._seconds = seconds
        self._ring = ring
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def __call__(self, stall: Stall) -> None:
        """Set the timer of a stall that was found, take back that of one that is over."""
        if stall.ongoing:
            self._set(stall.id, self._seconds - stall.duration)
        elif (timer := self._timers.pop(stall.id, None)) is not None:
            timer.cancel()

    def _set(self, number: int, seconds: float, *, sure: bool = False) -> None:
        # Not before the probe has looked again: what was found late may just be over.
        delay = max(seconds, self._probe.interval + SLACK)
        due = self._loop.time() + delay
        self._timers[number] = self._loop.call_later(delay, self._look, number, due, sure)

    def _look(self, number: int, due: float, sure: bool) -> None:
        self._timers.pop(number, None)
        found = (item for item in self._probe.stalls() if item.id == number and item.ongoing)
        stall = next(found, None)
        if stall is None:
            return
        if stall.duration < self._seconds:  # the process was stopped meanwhile
            self._set(number, self._seconds - stall.duration)
        elif not sure and self._loop.time() - due > SLACK:
            self._set(number, 0.0, sure=True)
        else:
            self._ring(stall)
