"""What the probe knows about one loop: proof of life, an open question, a stall."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from asyncconsole.stall.clocks import COUNTED, Gap, runnable, thread_clock

if TYPE_CHECKING:
    from asyncconsole.model import Stall
    from asyncconsole.stall.beat import Beat
    from asyncconsole.stall.clocks import ThreadClock, Vitals
    from asyncconsole.stall.record import OpenStall

REMEMBERED = 256
"""Measurements of a loop's lag that are kept."""


class Lags(NamedTuple):
    """Seconds a loop needed to answer: the last time, the median, the 99th percentile."""

    last: float | None
    p50: float | None
    p99: float | None


_ON_TIME = Gap("none", 0.0, 0.0)


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
        turn: Monotonic time at which the turn began that it was last seen in; None when
            it doesn't tell, or has proved to be alive since.
        seen: Clocks of its thread at the last look.
        counted: When the kernel's count of its thread's waits for a CPU was last read.
        waited: Seconds since the last proof of life in which its thread was ready to run
            and had no CPU, as far as the kernel has counted them.
        off: Seconds up to the last look in which its thread ran not at all and the kernel
            counted no wait: it was blocked, or still waits for a CPU.
    """

    __slots__ = (
        "_lags",
        "alive",
        "beat",
        "clock",
        "counted",
        "declared",
        "draft",
        "graced",
        "number",
        "off",
        "seen",
        "turn",
        "waited",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self._lags: deque[float] = deque(maxlen=REMEMBERED)
        self.beat: Beat | None = None
        self.alive: float | None = None
        self.clock: ThreadClock | None = None
        self.draft: OpenStall | None = None
        self.declared = False
        self.graced = False
        self.turn: float | None = None
        self.seen: ThreadClock | None = None
        self.counted = 0.0
        self.waited = self.off = 0.0

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
        self.turn = self.clock = None
        self.waited = self.off = 0.0
        self.alive = when if self.alive is None else max(self.alive, when)
        return ended

    def forget(self, when: float) -> Stall | None:
        """It runs no more; what it did before says nothing about its next run."""
        ended = self.live(when)
        self.alive = self.beat = self.seen = None
        return ended

    def shift(self, seconds: float) -> None:
        """The whole process stood still that long: it doesn't count."""
        if self.alive is not None:
            self.alive += seconds
        if self.turn is not None:
            self.turn += seconds
        if self.beat is not None:
            self.beat.sent += seconds
            self.beat.given += seconds
        if self.clock is not None:
            self.clock = self.clock._replace(time=self.clock.time + seconds)
        if self.draft is not None:
            self.draft.shift(seconds)

    def since(self) -> float | None:
        """Monotonic time from which its silence counts; None when nothing was asked."""
        if self.turn is not None:
            return self.turn
        if self.beat is None:
            return None
        return self.beat.given if self.alive is None else max(self.alive, self.beat.given)

    def left(self, threshold: float, now: float) -> float | None:
        """Seconds until it will have been silent for so long; None when that doesn't count."""
        since = self.since()
        return None if since is None or self.declared else since + self.waited + threshold - now

    def begun(self, turn: float) -> Stall | None:
        """It was found in a turn that began at that monotonic time.

        Returns:
            The stall that this ended, if any.
        """
        if self.alive is not None and turn <= self.alive:
            self.turn = self.alive  # it is still in the turn in which it proved to be alive
            return None
        ended = self.live(turn)
        self.turn = turn
        return ended

    def saw(self, clock: ThreadClock | None, gap: Gap) -> None:
        """Take in the clocks of its thread at this look.

        Time in which the thread was ready to run and had no CPU is the machine's doing, also
        where the side thread was on time, and where the thread had the GIL meanwhile. The
        kernel counts it only once the thread has a CPU again: see ``off``.
        """
        last, self.seen = self.seen, clock
        if clock is None or last is None or clock.queued is None or last.queued is None:
            self.off = 0.0
            return
        queued = max(0.0, clock.queued - last.queued)
        off = clock.time - last.time - (clock.cpu - last.cpu) - queued
        off -= gap.stopped  # shifted already
        if gap.reason != "frozen":
            self.waited += queued
        self.off = max(0.0, off) + (0.0 if queued else self.off)

    def well(self, thread: int | None, now: Vitals, turn: float | None) -> None:
        """It is alive, by a short look: in a turn that began at that time, or waiting for None."""
        if self.beat is not None and self.beat.answered is not None:
            self.measured(self.beat.answered - self.beat.sent)
            self.beat = None
        if turn is None:
            self.live(now.time)
        else:
            self.begun(turn)
        clock = self.fine(thread, now, _ON_TIME)
        if turn is not None:
            self.clock = clock

    def fine(self, thread: int | None, now: Vitals, gap: Gap) -> ThreadClock | None:
        """Take in the clocks of a thread that runs callbacks, or waits for events.

        Returns:
            Them; its waits for a CPU may be those of a moment ago.
        """
        known = None if self.seen is None else self.seen.queued
        recent = known is not None and now.time - self.counted < COUNTED
        clock = thread_clock(thread, now, queue=not recent)
        if clock is not None and recent:
            clock = clock._replace(queued=known)
        else:
            self.counted = now.time
        self.saw(clock, gap)
        return clock

    def unsettled(self, thread: int | None) -> float:
        """Seconds in which its thread may have waited for a CPU, and does still."""
        return self.off if runnable(thread) else 0.0

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
