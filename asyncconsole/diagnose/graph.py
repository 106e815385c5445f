"""The wait-for graph of a snapshot, and what in it can never move again.

Nodes are tasks. A task that waits for a lock needs one of the lock's holders to go
on; one that waits for tasks needs all or one of them to end. A least fixpoint
marks every task that may still move: it runs, something outside the graph may
wake it, a timeout may cancel it, or what it needs may move. What is left can
never move: there is a cycle in it, and tasks behind the cycle.

Strict reading (for proofs): an edge counts only where the evidence is certain,
and anything unknown may move. Lenient reading (for suspects): likely holders
count, and a failing sibling or a watchdog is not expected.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from asyncconsole.diagnose.cycles import (
    Edge,
    components,
    is_cycle,
    shortest_cycle,
    victims_of,
)
from asyncconsole.diagnose.doubts import doubts
from asyncconsole.diagnose.groups import Island, Knot
from asyncconsole.diagnose.helpers import Helpers
from asyncconsole.diagnose.partners import Partners
from asyncconsole.diagnose.siblings import siblings
from asyncconsole.diagnose.sources import OUTER, Sources
from asyncconsole.model import Resource, Snapshot, Task

_BY_CODE = (
    "that nobody else would end this wait is read from the program's code: likely, not certain"
)

SOON = 600.0
"""Seconds within which a sleeping watchdog counts as a timeout."""

MOST_EDGES = 32
"""Holders of one semaphore that are drawn as edges; a cycle needs one."""

_PASSES_CANCEL = {
    "task",
    "gather",
    "wait_for",
    "task_group",
    "wait",
    "as_completed",
    "executor",
}
"""Waits through which a cancelled waiter cancels what it waits for. ``asyncio.wait`` and
``as_completed`` do not by themselves; the code around them usually does."""


class Graph:
    """A snapshot's tasks and what they need.

    Args:
        snapshot: The program.
        moving: Ids of tasks that are known to have moved meanwhile.
    """

    def __init__(self, snapshot: Snapshot, moving: frozenset[int] = frozenset()) -> None:
        self.snapshot = snapshot
        self.moving = moving
        self.tasks: dict[int, Task] = {task.id: task for task in snapshot.tasks}
        self.resources: dict[str, Resource] = {item.id: item for item in snapshot.resources}
        self.sources = Sources(snapshot, moving)
        self.partners = Partners(snapshot)
        self._helpers = Helpers(snapshot, self.partners, self.sources)
        self._blocking: dict[tuple[str, bool], tuple[int, ...]] = {}
        self._cancellable = self._may_be_cancelled()
        self._stuck: dict[bool, set[int]] = {}
        self._all_suspended = not any(t.wait is None or t.gap for t in self.tasks.values())
        self.groups = siblings(self.tasks)
        self._fails: dict[int, list[int]] = {}
        for index, group in enumerate(self.groups):
            for number in group.may_fail:
                self._fails.setdefault(number, []).append(index)

    def knots(self, *, lenient: bool = False) -> list[Knot]:
        """Every group of tasks that wait for each other and can never go on."""
        stuck = self.stuck(lenient=lenient)
        edges = {number: self._needs(self.tasks[number], stuck) for number in sorted(stuck)}
        found = []
        cyclic = [group for group in components(edges) if is_cycle(group, edges)]
        behind = victims_of(cyclic, edges)
        for group, victims in zip(cyclic, behind, strict=True):
            cycle = shortest_cycle(group, edges)
            why = doubts(self, group, cycle) if lenient else ()
            found.append(
                Knot(
                    tuple(edge.waiter for edge in cycle),
                    tuple(cycle),
                    tuple(sorted(group)),
                    tuple(sorted(victims)),
                    why,
                )
            )
        return sorted(found, key=lambda knot: knot.members)

    def islands(self, taken: Iterable[int] = (), *, lenient: bool = False) -> list[Island]:
        """Every group of tasks that can never be woken, though no circle is to blame.

        Args:
            taken: Ids of the tasks that are explained otherwise.
            lenient: See the head of this module.
        """
        stuck = self.stuck(lenient=lenient)
        edges = {number: self._needs(self.tasks[number], stuck) for number in sorted(stuck)}
        explained = set(taken)
        groups: dict[tuple[str, str], list[int]] = {}
        for number, needs in edges.items():
            wait = self.tasks[number].wait
            if needs or number in explained or wait is None or not self._judged(self.tasks[number]):
                continue
            groups.setdefault((wait.resource or f"task {number}", wait.kind), []).append(number)
        behind = victims_of(list(groups.values()), edges)
        doubts = (_BY_CODE,) if lenient else ()
        return [
            Island(
                tuple(members),
                tuple(sorted(victims - explained)),
                key if key in self.resources else None,
                doubts,
            )
            for ((key, _), members), victims in zip(groups.items(), behind, strict=True)
        ]

    def stuck(self, *, lenient: bool = False) -> set[int]:
        """Ids of the tasks that can never move again."""
        if lenient not in self._stuck:
            self._stuck[lenient] = self._find_stuck(lenient)
        return self._stuck[lenient]

    def _find_stuck(self, lenient: bool) -> set[int]:
        needed_by: dict[int, list[int]] = {}
        waiting: dict[int, Task] = {}
        moves: set[int] = set()
        reached = set(self.sources.begin(lenient=lenient))
        helpers: dict[int, frozenset[int]] = {}
        by_code = lenient and self._helpers.known
        for task in self.tasks.values():
            helped: frozenset[int] | None = frozenset()
            by_itself = self._moves_by_itself(task, lenient)
            if not by_itself and by_code and self._judged(task):
                helped = self._helpers.of(task)
            if by_itself or helped is None:
                moves.add(task.id)
                continue
            waiting[task.id] = task
            helpers[task.id] = helped
            for number in (*self._candidates(task, lenient), *helped):
                needed_by.setdefault(number, []).append(task.id)
        moving = deque(moves)

        def go(numbers: Iterable[int]) -> None:
            for number in numbers:
                if number not in moves:
                    moves.add(number)
                    moving.append(number)

        def freed(numbers: Iterable[int]) -> list[int]:
            return [
                number
                for number in numbers
                if number not in moves
                and number in waiting
                and (
                    not helpers[number].isdisjoint(moves)
                    or self._freed(waiting[number], moves, reached, lenient)
                )
            ]

        go(freed(waiting))  # some need something that is not even in the snapshot
        failed: set[int] = set()
        while moving:
            current = moving.popleft()
            woken = [] if by_code else self.sources.moves(current)
            reached.update(woken)
            go(freed((*needed_by.get(current, ()), *woken)))
            if not lenient:
                go(self._failed_with(current, moves, failed))
        return set(waiting) - moves

    def _failed_with(self, number: int, moves: set[int], failed: set[int]) -> list[int]:
        """Tasks that are cancelled if that one fails; ``failed``: groups seen to."""
        found: dict[int, None] = {}
        todo: list[int] = []
        for index in self._fails.get(number, ()):
            if index not in failed:
                failed.add(index)
                todo += self.groups[index].members
        while todo:
            other = todo.pop()
            if other not in found and other not in moves and other in self.tasks:
                found[other] = None
                todo += cancelled_with(self.tasks[other])
        return list(found)

    def _may_be_cancelled(self) -> set[int]:
        """Tasks that a timeout of their own or of an awaiter will cancel."""
        found = {task.id for task in self.tasks.values() if task.deadline is not None}
        for thread in self.snapshot.threads:
            if thread.timeout is not None:  # it will give up, and may cancel what it waited for
                found.update(thread.waits_for)
        todo = list(found)
        for item in self.tasks.values():
            if item.wait is not None and item.wait.kind == "wait_for" and item.wait.due is not None:
                todo.append(item.id)
        done = set()
        while todo:
            number = todo.pop()
            task = self.tasks.get(number)
            if number in done or task is None:
                continue
            done.add(number)
            below = cancelled_with(task)
            found.update(below)
            todo += below
        return found

    def _moves_by_itself(self, task: Task, lenient: bool) -> bool:
        """True when a task may go on whatever the others do."""
        wait = task.wait
        if wait is None or wait.due is not None or task.id in self.moving:
            return True
        if task.id in self._cancellable:
            return True
        if self._bounded(task) or (not lenient and self.watchdogs(task)):
            return True
        if self._judged(task):
            return False
        if wait.resource is not None:
            item = self.resources.get(wait.resource)
            return item is None or not self._blockers(item, lenient)
        if not wait.tasks:
            return True
        # Something unknown may end an "any", or fail and so end an "all_or_error".
        return wait.opaque and (
            wait.needs == "any" or (wait.needs == "all_or_error" and not lenient)
        )

    def _judged(self, task: Task) -> bool:
        """True when what can wake a task is known from what refers to its future."""
        return (
            task.id in self.sources.known and task.wait is not None and task.wait.kind not in OUTER
        )

    def _bounded(self, task: Task) -> bool:
        """True when an awaiter will stop waiting for it and may then cancel it."""
        for number in task.awaited_by:
            other = self.tasks.get(number)
            if other is None or number not in task.watchers or other.wait is None:
                continue
            if other.deadline is not None or other.wait.due is not None:
                return True
        return False

    def bounded(self, task: Task) -> bool:
        """True when a timer, a timeout or a watchdog gets a task out of its wait."""
        wait = task.wait
        return (
            wait is None
            or wait.due is not None
            or task.id in self.moving
            or task.id in self._cancellable
            or self._bounded(task)
            or bool(self.watchdogs(task))
        )

    def watchdogs(self, task: Task) -> list[Task]:
        """Tasks that wake by themselves soon and may cancel this one."""
        found = []
        for number in task.watchers:
            other = self.tasks.get(number)
            if other is None or other.id == task.id:
                continue
            due = other.wait.due if other.wait is not None else 0.0
            bounded = other.deadline is not None or other.id in self._cancellable
            if bounded or (due is not None and due <= SOON):
                found.append(other)
        return found

    def _blockers(self, item: Resource, lenient: bool) -> tuple[int, ...]:
        """Ids of the tasks one of which must give a primitive back; () when unknown.

        Thousands may wait for one semaphore, so it is found out once.
        """
        key = item.id, lenient
        if key not in self._blocking:
            self._blocking[key] = self._find_blockers(item, lenient)
        return self._blocking[key]

    def _find_blockers(self, item: Resource, lenient: bool) -> tuple[int, ...]:
        if not item.locked and item.permits is not None:
            return ()
        if not lenient and not (item.sound and (item.accounted or self.all_seen(item))):
            return ()
        if item.unknown:
            return ()  # who has the rest of a pool may give it back at any time
        return tuple(holder.task for holder in item.holders)

    def all_seen(self, item: Resource) -> bool:
        """True when a Semaphore that doesn't tell how many permits it has hides no holder.

        Where no code of the program calls ``release()``, its permits are taken by ``async with``
        alone; those of all tasks are seen but of one that runs just now.
        """
        return (
            item.permits is None
            and item.type == "Semaphore"
            and bool(item.holders)
            and all(holder.certain for holder in item.holders)
            and self.partners.known
            and not self.partners.releases
            and self._all_suspended
        )

    def _candidates(self, task: Task, lenient: bool) -> tuple[int, ...]:
        """Tasks whose moving may free this one."""
        wait = task.wait
        if wait is None:
            return ()
        if wait.resource is not None:
            return self._blockers(self.resources[wait.resource], lenient)
        return wait.tasks

    def _freed(self, task: Task, moves: set[int], reached: set[int], lenient: bool) -> bool:
        """True when enough of what a task needs may move.

        Args:
            task: Who waits.
            moves: Ids of the tasks that may move.
            reached: Ids of the tasks whose future something that moves can get at.
            lenient: See the head of this module.
        """
        wait = task.wait
        if wait is None:
            return True
        needed = self._candidates(task, lenient)
        if not needed or (wait.opaque and not wait.tasks):
            return not self._judged(task) or task.id in reached
        # The last come to it last: of thousands one tells at once that not all are free.
        free = (number not in self.tasks or number in moves for number in reversed(needed))
        if wait.resource is None:
            if wait.needs == "all" or (wait.needs == "all_or_error" and lenient):
                known = wait.opaque and self._judged(task)
                return all(free) and (not known or task.id in reached)
            if wait.opaque and task.id in reached:
                return True
        return any(free)

    def _needs(self, task: Task, stuck: set[int]) -> list[Edge]:
        """Edges from a stuck task to the stuck tasks it needs."""
        wait = task.wait
        if wait is None:
            return []
        if wait.resource is not None:
            holders = dict.fromkeys(h.task for h in self.resources[wait.resource].holders)
            needed = [n for n in holders if n in stuck][:MOST_EDGES]
            return [Edge(task.id, n, "lock", wait.resource) for n in needed]
        return [Edge(task.id, n, "await") for n in dict.fromkeys(wait.tasks) if n in stuck]


def cancelled_with(task: Task) -> tuple[int, ...]:
    """Ids of the tasks to which a cancellation of ``task`` is passed on."""
    awaited: tuple[int, ...] = ()
    if task.wait is not None and task.wait.kind in _PASSES_CANCEL:
        awaited = task.wait.tasks
    return (*awaited, *task.children)
