"""How long callbacks and the steps of tasks take, as far as they are timed."""

from __future__ import annotations

from dataclasses import dataclass

from asyncconsole.model.task import Frame

BUCKETS = 24
"""Counts of a histogram."""

FIRST = 1024e-9
"""Seconds below which a duration is in the first count; each further count reaches twice as far."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Many durations, counted by powers of two.

    Attributes:
        total: Seconds of all together.
        longest: Seconds of the longest.
        counts: How many were shorter than 1.024 µs, shorter than twice that, and so on; the
            last of the `BUCKETS` has all that were longer.
    """

    total: float
    longest: float
    counts: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many."""
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share of them was over; up to twice too long.

        It is the end of a bucket, or the longest if that is less. None where there are none.
        """
        left = self.count * share
        for bucket, count in enumerate(self.counts):
            left -= count
            if count and left <= 0:
                return min(edge(bucket), self.longest)
        return None


def edge(bucket: int) -> float:
    """Seconds that all durations of a bucket are shorter than; infinite for the last one."""
    return FIRST * 2.0**bucket if bucket < BUCKETS - 1 else float("inf")


@dataclass(frozen=True, slots=True)
class Polls:
    """The steps of one task since it is timed.

    Attributes:
        busy: Seconds in steps.
        scheduled: Seconds in which it was ready and not run.
        idle: Seconds in which it was suspended.
        steps: How long each took.
        delays: How long it was ready before each, where that is known.
    """

    busy: float
    scheduled: float
    idle: float
    steps: Durations
    delays: Durations


@dataclass(frozen=True, slots=True)
class SlowSite:
    """Slow callbacks of one function, or slow steps of one coroutine between two places.

    Attributes:
        kind: ``callback`` or ``step``.
        function: The callback, or the outermost coroutine of the task.
        task: Name of the last task that was met, "" for a callback.
        start: Where the coroutine was suspended before (its first line if it was not); the
            callback's first line. None when not known.
        end: Where the coroutine was suspended after; None for a callback and after the end.
        ended: True when the task was over after.
        durations: How long.
        seen: Where the loop's thread was found in the midst of them, and how often; most
            frequent first, each with what was being called there, or "".
    """

    kind: str
    function: str
    task: str
    start: Frame | None
    end: Frame | None
    ended: bool
    durations: Durations
    seen: tuple[tuple[Frame, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SlowAccount:
    """Callbacks that were slow.

    Attributes:
        on: True while callbacks are timed.
        slow: Seconds from which one is slow.
        since: ISO 8601 UTC; "" when callbacks were never timed.
        seconds: For how long they were timed.
        sites: The most expensive first.
        other: Those for which there was no room; None when there are none.
        unmeasured: Loops whose callbacks can't be timed.
        untimed: Tasks that were not timed because there were too many.
        broken: Why timing switched itself off, or "".
    """

    on: bool
    slow: float
    since: str = ""
    seconds: float = 0.0
    sites: tuple[SlowSite, ...] = ()
    other: Durations | None = None
    unmeasured: tuple[int, ...] = ()
    untimed: int = 0
    broken: str = ""
