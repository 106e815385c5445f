"""Tasks are made faster than they end, all alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from asyncconsole.diagnose.phrases import listed, spot, what, where
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Resource, ResourceRef, Task, TaskRole

QUEUED = 500
"""Tasks of one kind that queue for one thing before it is said."""

MANY = 2_000
"""Tasks of one kind, whatever they wait for, before it is said."""

LEAST = 1.2
"""Seconds over which they have become more."""

WINDOW = 10.0
"""Seconds that are looked back."""

STEPS = 3
"""Counts each of which must be more than the one before."""

MOST_NAMED = 5

_OUTSIDE = frozenset({"stream", "socket", "server", "stream_receive"})
"""Waits of tasks that serve somebody: many of these are many clients."""

_CAPACITY = frozenset({"lock", "semaphore", "limiter", "pool", "queue_put", "stream_send"})


class _Crowd(NamedTuple):
    """Tasks that run the same, and what most of them queue for."""

    coro: str
    tasks: list[Task]
    item: Resource | None
    queue: list[Task]


class _UnboundedFanOut:
    kind = "unbounded_fan_out"
    rank = 80
    fix = (
        "bound it: make a task only once there is room (acquire the semaphore before "
        "`create_task`), or let a fixed number of workers get from an `asyncio.Queue(maxsize=...)` "
        "so that whoever puts has to wait"
    )

    def check(self, case: Case) -> Iterable[Finding]:
        slope = _slope(case.snapshot.growth)
        crowd = _crowd(case) if slope is not None else None
        if slope is None or crowd is None:
            return []
        return [self._finding(case, crowd, slope)]

    def _finding(self, case: Case, crowd: _Crowd, slope: _Slope) -> Finding:
        count = f"{len(crowd.tasks):,}"
        made = next((task for task in crowd.tasks if task.creation), None)
        site = f" from {spot(made.creation[0])}" if made is not None else ""
        queue = ""
        if crowd.item is not None:
            queue = f", {len(crowd.queue):,} of them wait for {what(crowd.item)}"
        named = (crowd.queue or crowd.tasks)[:MOST_NAMED]
        creator = case.graph.tasks.get(made.creator or 0) if made is not None else None
        holders = crowd.item.holders if crowd.item is not None else ()
        roles = [TaskRole(creator.id, creator.name, "cause")] if creator is not None else []
        ids = {task.id for task in named}
        held = {holder.task: holder.name for holder in holders if holder.task not in ids}
        roles += [TaskRole(n, name, "holder") for n, name in list(held.items())[:MOST_NAMED]]
        roles += [TaskRole(task.id, task.name, "victim") for task in named]
        return Finding(
            id="",
            verdict="leak",
            proven=False,
            kind=self.kind,
            summary=f"{count} tasks{site} run {crowd.coro}{queue}, and they become about "
            f"{slope.rate:,.0f} more each second",
            tasks=tuple(roles),
            resources=(ResourceRef(crowd.item.id, crowd.item.type, crowd.item.name),)
            if crowd.item is not None
            else (),
            evidence=tuple(_evidence(crowd, slope, held)),
            fix=self.fix,
            assumes="not proven: whatever makes them may end or pause, and then they can catch up"
            + (
                "" if made is not None else "; who makes them is not known (`track tasks on` tells)"
            ),
        )


class _Slope(NamedTuple):
    """Growth without a break.

    Attributes:
        counts: Seconds ago and number of tasks, oldest first.
    """

    counts: tuple[tuple[float, int], ...]

    @property
    def rate(self) -> float:
        """Tasks that have been added each second."""
        (first, few), (last, many) = self.counts[0], self.counts[-1]
        return (many - few) / max(first - last, 0.001)


def _slope(growth: tuple[tuple[float, int], ...]) -> _Slope | None:
    """How the number of tasks has grown until now, without ever having become less."""
    counts = [item for item in growth if item[0] <= WINDOW]
    start = len(counts) - 1
    while start > 0 and counts[start - 1][1] < counts[start][1]:
        start -= 1
    steady = tuple(counts[max(start, 0) :])
    if len(steady) <= STEPS or steady[0][0] - steady[-1][0] < LEAST:
        return None
    few, many = steady[0][1], steady[-1][1]
    # What came, came steadily, not in one burst.
    steps = [after[1] - before[1] for before, after in pairwise(steady)]
    burst = max(steps) > (many - few) * 0.8
    return None if many - few < min(many * 0.1, 500) or burst else _Slope(steady)


def _crowd(case: Case) -> _Crowd | None:
    """Most of the tasks, when these all run the same and are too many."""
    tasks = case.snapshot.tasks
    if len(tasks) < QUEUED:
        return None
    ((coro, count),) = Counter(task.coro for task in tasks).most_common(1)
    if count < QUEUED or count * 2 < len(tasks):
        return None
    members = [task for task in tasks if task.coro == coro]
    waits = Counter(
        task.wait.resource
        for task in members
        if task.wait is not None and task.wait.kind in _CAPACITY and task.wait.resource
    )
    item, queued = waits.most_common(1)[0] if waits else (None, 0)
    if item is not None and queued >= QUEUED and queued * 2 >= count:
        queue = [task for task in members if task.wait and task.wait.resource == item]
        return _Crowd(coro, members, case.graph.resources.get(item), queue)
    served = sum(task.wait is not None and task.wait.kind in _OUTSIDE for task in members)
    if count < MANY or served * 2 > count:
        return None
    return _Crowd(coro, members, None, [])


def _evidence(crowd: _Crowd, slope: _Slope, held: dict[int, str]) -> Iterable[str]:
    points = [*slope.counts[:: max(1, len(slope.counts) // 4)], slope.counts[-1]]
    told = [f"{count:,} {ago:.1f} s ago" for ago, count in dict.fromkeys(points)]
    yield f"tasks of the program: {listed(told, most=6)}"
    places = Counter(where(task) for task in crowd.tasks).most_common(3)
    yield f"they stand at {listed([f'{place} ({count:,})' for place, count in places])}"
    if crowd.item is not None:
        yield f"{what(crowd.item)}: {crowd.item.state}"
    if held:
        yield f"held by {listed([f'{name} ({number})' for number, name in held.items()])}"


RULE = _UnboundedFanOut()
