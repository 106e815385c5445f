"""A capture that is safe without the GIL too.

With the GIL, tasks are read from any thread. On a free-threaded Python that crashes the
process, so there each loop's tasks are read in its own thread, in slices between its
callbacks; a loop that runs no callback is left out, and said so.
"""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
from typing import Any

from asyncconsole.capture import futures, registry
from asyncconsole.capture.look import Steps
from asyncconsole.capture.program import Program
from asyncconsole.capture.running import has_gil
from asyncconsole.model import Gap, Resource, Snapshot

PATIENCE = 1.0
"""Seconds in which a loop must have run our callback."""

PAUSE = 0.002
"""Seconds between two looks whether the loops are through."""

_NOBODY: Any = object()
_THREADS = Gap("threads", "without the GIL the stacks of threads that run can't be read")


def capture(program: Program, **options: Any) -> Steps:
    """As `Program.capture`, which it is where Python has its GIL.

    Yields:
        `look.LIVE` or None, between slices; the caller may block for `PAUSE` then.

    Returns:
        The snapshot; loops that could not be read are among its gaps.
    """
    if has_gil():
        return (yield from program.capture(**options))
    program.loops.note(_running_here())
    for task in registry.tasks([]):  # what a task belongs to never changes
        program.loops.note(futures.loop(task))
    visits: list[_Visit] = []
    gaps: list[Gap] = [_THREADS] if options.get("threads", True) else []
    for fact in program.loops.find():
        loop = fact.reference()
        if loop is None or fact.closed:
            continue
        visit = _Visit(program, loop, fact.number, options)
        if loop is _running_here():
            visit.finish()
        elif not fact.running or not visit.send():
            gaps.append(Gap(f"loop {fact.number}", f"it does not run, and {_ONLY_THERE}"))
            continue
        visits.append(visit)
    end = time.monotonic() + PATIENCE
    while not all(visit.done.is_set() for visit in visits) and time.monotonic() < end:
        time.sleep(PAUSE)
        yield None
    found = []
    for visit in visits:
        snapshot = visit.take()
        if snapshot is not None:
            found.append(snapshot)
        else:
            gaps.append(Gap(f"loop {visit.number}", visit.why))
    frame = yield from program.capture(**{**options, "loop": _NOBODY})
    return _merged(frame, found, gaps)


_ONLY_THERE = "without the GIL its tasks can only be read in its own thread"


def _running_here() -> Any:
    """The loop that runs in this thread, or None."""
    return asyncio._get_running_loop()  # noqa: SLF001 - the public one raises outside of a loop


class _Visit:
    """One loop's tasks, read by callbacks of that loop."""

    def __init__(self, program: Program, loop: Any, number: int, options: dict[str, Any]) -> None:
        self.number = number
        self.done = threading.Event()
        self.why = f"it has not run a callback for {PATIENCE:g} s, and {_ONLY_THERE}"
        self._loop = loop
        self._steps = program.capture(**{**options, "loop": loop})
        self._found: Snapshot | None = None
        self._given_up = False

    def send(self) -> bool:
        """Have the loop call us soon; False when it has closed."""
        try:
            self._loop.call_soon_threadsafe(self._turn)
        except RuntimeError:
            return False
        return True

    def finish(self) -> None:
        """Read everything at once: we are in the loop's own thread."""
        while self._step():
            pass

    def take(self) -> Snapshot | None:
        """What was read; None when the loop did not get to it, which it need not do now."""
        self._given_up = True
        return self._found if self.done.is_set() else None

    def _turn(self) -> None:
        if self._given_up:
            self._steps.close()
        elif self._step():
            self._loop.call_soon(self._turn)

    def _step(self) -> bool:
        """Read one slice; True when there is more."""
        try:
            next(self._steps)
            return True
        except StopIteration as end:
            self._found = end.value
        except Exception as broken:
            self.why = f"{type(broken).__name__}: {broken}"[:200]
        self.done.set()
        return False


def _merged(frame: Snapshot, found: list[Snapshot], gaps: list[Gap]) -> Snapshot:
    """One snapshot of what was read in several threads."""
    resources: dict[str, Resource] = {}
    for item in (item for part in found for item in part.resources):
        other = resources.get(item.id)
        if other is not None:  # used in two loops, read at two moments: nothing is sure
            item = dataclasses.replace(  # noqa: PLW2901 - the same, completed
                item,
                holders=other.holders + item.holders,
                waiters=other.waiters + item.waiters,
                accounted=False,
            )
        resources[item.id] = item
    counts: dict[int, int] = {}
    for part in found:
        for loop in part.loops:
            counts[loop.id] = counts.get(loop.id, 0) + loop.tasks
    sources = {source for part in (frame, *found) for source in part.sources}
    return dataclasses.replace(
        frame,
        loops=tuple(dataclasses.replace(one, tasks=counts.get(one.id, 0)) for one in frame.loops),
        tasks=tuple(sorted((t for part in found for t in part.tasks), key=lambda task: task.id)),
        total=sum(part.total for part in found),
        resources=tuple(sorted(resources.values(), key=lambda item: int(item.id[1:]))),
        sources=tuple(sorted(sources)),
        gaps=(*gaps, *(gap for part in found for gap in part.gaps)),
        took=sum(part.took for part in found),
    )
