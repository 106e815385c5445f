"""What the probe knows about one loop: proof of life, an open question, a stall."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asyncconsole.model import Stall
    from asyncconsole.stall.beat import Beat
    from asyncconsole.stall.clocks import ThreadClock
    from asyncconsole.stall.record import OpenStall

REMEMBERED = 256
"""Measurements of a loop's lag that are kept."""


class Lags(NamedTuple):
    """Seconds a loop needed to answer: the last time, the median, the 99th percentile."""

    last: float | None
    p50: float | None
    p99: float | None


class Watch:
    """One loop under watch.

    Attributes:
        number: The loop's number.
        beat: The beat that it has not answered yet.
        alive: Monotonic time of the last proof of life, None before the first.
        clock: Clocks of its thread when the beat was sent.
        draft: What was seen since it did not answer; a stall only once ``declared``.
        declared: True while it is stalled.
        graced: True when the side thread was late itself and waits once more.
    """

    __slots__ = ("_lags", "alive", "beat", "clock", "declared", "draft", "graced", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self._lags: deque[float] = deque(maxlen=REMEMBERED)
        self.beat: Beat | None = None
        self.alive: float | None = None
        self.clock: ThreadClock | None = None
        self.draft: OpenStall | None = None
        self.declared = False
        self.graced = False

    def live(self, when: float) -> Stall | None:
        """It proved to be alive at that monotonic time.

        Returns:
            The stall that this ended, if any.
        """
        ended = None
        if self.draft is not None and self.declared:
            ended = self.draft.stall(when, ongoing=False)
        self.draft = None
        self.declared = self.graced = False
        self.alive = when if self.alive is None else max(self.alive, when)
        return ended

    def forget(self, when: float) -> Stall | None:
        """It runs no more; what it did before says nothing about its next run."""
        ended = self.live(when)
        self.alive = self.beat = self.clock = None
        return ended

    def shift(self, seconds: float) -> None:
        """The whole process stood still that long: it doesn't count."""
        if self.alive is not None:
            self.alive += seconds
        if self.beat is not None:
            self.beat.sent += seconds
        if self.clock is not None:
            self.clock = self.clock._replace(time=self.clock.time + seconds)
        if self.draft is not None:
            self.draft.shift(seconds)

    def since(self) -> float | None:
        """Monotonic time from which its silence counts; None when nothing was asked."""
        if self.beat is None:
            return None
        return self.beat.sent if self.alive is None else max(self.alive, self.beat.sent)

    def measured(self, lag: float) -> None:
        """Remember how long it needed to answer."""
        self._lags.append(max(0.0, lag))

    def lags(self, now: float) -> Lags:
        """How long it needs to answer."""
        blocked = self.blocked(now)
        kept = list(self._lags)
        last = blocked if blocked is not None else (kept[-1] if kept else None)
        if not kept:
            return Lags(last, None, None)
        kept.sort()
        return Lags(last, kept[len(kept) // 2], kept[min(len(kept) - 1, len(kept) * 99 // 100)])

    def blocked(self, now: float) -> float | None:
        """Seconds it has been stalled, None when it is not."""
        draft = self.draft
        return max(0.0, now - draft.started) if draft is not None and self.declared else None

    def ongoing(self, now: float) -> Stall | None:
        """The stall it is in."""
        draft = self.draft
        return draft.stall(now, ongoing=True) if draft is not None and self.declared else None
