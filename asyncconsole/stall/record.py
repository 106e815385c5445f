"""A stall while it goes on, and the `Stall` that is made of it."""

from __future__ import annotations

import time
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from asyncconsole.model import Frame, Stall
from asyncconsole.model.instant import stamp
from asyncconsole.model.stall import COLLECTION
from asyncconsole.stall.collector import COLLECTOR

if TYPE_CHECKING:
    from asyncconsole.stall.clocks import ThreadClock
    from asyncconsole.stall.sample import Sample

KINDS = 64
"""Different stacks, frames, tasks and positions that are counted in one stall."""

FRAMES = 2_000
"""Frames of all stacks of one stall that are kept of it."""

_Key = TypeVar("_Key")


class OpenStall:
    """What has been seen of a stall so far.

    Args:
        loop: Number of the loop.
        clock: Clocks of the thread when it was first found busy; None when they
            can't be read.

    Attributes:
        started: Monotonic time it began; 0 before `begin`.
        without_gil: Seconds of it in which nothing else could get the GIL.
    """

    def __init__(self, loop: int, clock: ThreadClock | None) -> None:
        self.number = 0
        self.loop = loop
        self.started = 0.0
        self.started_at = ""
        self.without_gil = 0.0
        self._first = self._last = clock
        self._late: int | None = None
        self._samples = 0
        self._stacks: dict[tuple[Frame, ...], int] = {}
        self._frames: dict[Frame, Frame] = {}
        self._spots: dict[tuple[Frame | None, str], int] = {}
        self._positions: dict[tuple[str, int, int], int] = {}
        self._tasks: dict[tuple[int, str], int] = {}

    def begin(self, number: int, started: float) -> None:
        """It lasts long enough to be a stall: ``number`` is its id."""
        self.number = number
        self.started = started
        self.started_at = stamp(time.time() - (time.monotonic() - started))

    def add(
        self,
        sample: Sample | None,
        task: tuple[int, str] | None,
        late: int | None,
        clock: ThreadClock | None,
    ) -> None:
        """Take in what one beat has seen."""
        self.note(clock)
        if late is not None:
            self._late = max(late, self._late or 0)
        if task is not None:
            _count(self._tasks, task)
        if sample is not None:
            self._samples += 1
            self._count_stack(sample.stack)
            _count(self._spots, (sample.frame, sample.call))
            _count(self._positions, sample.position)

    def _count_stack(self, stack: tuple[Frame, ...]) -> None:
        """Count it; stacks that are kept share the frames that are equal."""
        if stack not in self._stacks and len(self._stacks) < KINDS:
            stack = tuple([self._frames.setdefault(frame, frame) for frame in stack])
        _count(self._stacks, stack)

    def note(self, clock: ThreadClock | None) -> None:
        """Take in what the thread's clocks say now."""
        if clock is not None:
            self._first = self._first or clock
            self._last = clock

    def shift(self, seconds: float) -> None:
        """The process stood still that long: it doesn't count."""
        self.started += seconds
        if self._first is not None:
            self._first = self._first._replace(time=self._first.time + seconds)

    def stall(self, end: float, *, ongoing: bool) -> Stall:
        """The record of it, if it ended at the monotonic time ``end``."""
        duration = max(0.0, end - self.started)
        held = self.without_gil >= duration / 2 and bool(self.without_gil)
        if held and collected(self.started, end, *self._stacks):
            return of_collector(self.number, self.loop, self.started_at, duration, ongoing=ongoing)
        frame, call = _most(self._spots) or (None, "")
        task, name = _most(self._tasks) or (None, "")
        stacks = self._kept()
        return Stall(
            id=self.number,
            loop=self.loop,
            started_at=self.started_at,
            duration=duration,
            ongoing=ongoing,
            kind="gil_holding_c_call" if held else self._kind(),
            task=task,
            task_name=name,
            frame=frame,
            call=call,
            stack=stacks[0][0] if stacks else (),
            samples=self._samples,
            cpu=self._cpu(),
            late=self._late,
            shared=tuple((*task, count) for task, count in list(self._tasks.items())),
            stacks=stacks,
        )

    def _kept(self) -> tuple[tuple[tuple[Frame, ...], int], ...]:
        """The stacks with their counts, the most frequent first, as many as there is room for."""
        found, room = [], FRAMES
        for stack, count in sorted(_pairs(self._stacks), key=itemgetter(1), reverse=True):
            room -= len(stack)
            if room < 0:
                break
            found.append((stack, count))
        return tuple(found)

    def _cpu(self, *, without_queue: bool = False) -> float | None:
        """Share of the time between the first and last reading spent on a CPU.

        Args:
            without_queue: Don't count the time in which the thread had no CPU because
                the machine is busy.
        """
        first, last = self._first, self._last
        if first is None or last is None:
            return None
        span = last.time - first.time
        if without_queue and first.queued is not None and last.queued is not None:
            span -= last.queued - first.queued
        return min(1.0, max(0.0, last.cpu - first.cpu) / span) if span > 0 else None

    def _kind(self) -> str:
        cpu = self._cpu(without_queue=True)
        # Code that shares the GIL with others gets less than half, but moves.
        moves = len(self._positions) > 1
        if cpu is not None and (cpu >= 0.5 or (moves and cpu >= 0.2)):  # noqa: PLR2004 - shares
            return "cpu_bound"
        return "blocking_call"


def collected(start: float, end: float, *stacks: tuple[Frame, ...]) -> bool:
    """True when the garbage collector had the GIL for most of that time (monotonic).

    Args:
        start: When it began.
        end: When it was over.
        stacks: What was seen then: a finalizer that the collector calls is to blame itself.
    """
    if any(frame.function.endswith("__del__") for stack in stacks for frame in stack):
        return False
    return COLLECTOR.spent(start, end) > (end - start) / 2


def of_collector(
    number: int, loop: int, started_at: str, duration: float, *, ongoing: bool = False
) -> Stall:
    """The record of a stall that is the garbage collector's and nobody else's."""
    return Stall(
        id=number,
        loop=loop,
        started_at=started_at,
        duration=duration,
        ongoing=ongoing,
        kind="gil_holding_c_call",
        task=None,
        task_name="",
        frame=None,
        call=COLLECTION,
    )


def _count(counts: dict[_Key, int], key: _Key) -> None:
    if key in counts or len(counts) < KINDS:
        counts[key] = counts.get(key, 0) + 1


def _pairs(counts: dict[_Key, int]) -> list[tuple[_Key, int]]:
    # Another thread may ask while the side thread counts: one atomic copy.
    return list(counts.items())


def _most(counts: dict[_Key, int]) -> _Key | None:
    pairs = _pairs(counts)
    return max(pairs, key=itemgetter(1))[0] if pairs else None
