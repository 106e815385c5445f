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
from dataclasses import dataclass
from typing import Literal

from asyncconsole.model import Resource, Snapshot, Task

SOON = 600.0
"""Seconds within which a sleeping watchdog counts as a timeout."""

MOST_EDGES = 32
"""Holders of one semaphore that are drawn as edges; a cycle needs one."""

CODE = frozenset({"flow", "inside"})
"""Evidence for a holder that is read from code; see `asyncconsole.model.Hold.how`."""

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


@dataclass(frozen=True, slots=True)
class Edge:
    """``waiter`` can't go on before ``needed`` does."""

    waiter: int
    needed: int
    via: Literal["lock", "await"]
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class Knot:
    """Tasks that wait for each other, and those behind them.

    Attributes:
        cycle: Ids along one shortest cycle, each waiting for the next.
        edges: The edges of that cycle, in order.
        members: Everyone that is part of a cycle, sorted.
        victims: Everyone that only waits behind, sorted.
        doubts: Why this is not a proof; empty for a strict reading.
    """

    cycle: tuple[int, ...]
    edges: tuple[Edge, ...]
    members: tuple[int, ...]
    victims: tuple[int, ...]
    doubts: tuple[str, ...] = ()

    @property
    def resources(self) -> tuple[str, ...]:
        """Ids of the primitives on the cycle."""
        return tuple(edge.resource for edge in self.edges if edge.resource is not None)


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
        self._cancellable = self._may_be_cancelled()

    def knots(self, *, lenient: bool = False) -> list[Knot]:
        """Every group of tasks that wait for each other and can never go on."""
        stuck = self.stuck(lenient=lenient)
        edges = {number: self._needs(self.tasks[number], stuck) for number in sorted(stuck)}
        found = []
        cyclic = [group for group in components(edges) if _is_cycle(group, edges)]
        behind = _victims(cyclic, edges)
        for group, victims in zip(cyclic, behind, strict=True):
            cycle = _shortest_cycle(group, edges)
            doubts = self._doubts(group, cycle) if lenient else ()
            found.append(
                Knot(
                    tuple(edge.waiter for edge in cycle),
                    tuple(cycle),
                    tuple(sorted(group)),
                    tuple(sorted(victims)),
                    doubts,
                )
            )
        return sorted(found, key=lambda knot: knot.members)

    def stuck(self, *, lenient: bool = False) -> set[int]:
        """Ids of the tasks that can never move again."""
        needed_by: dict[int, list[int]] = {}
        waiting: dict[int, Task] = {}
        moving = deque[int]()
        for task in self.tasks.values():
            if self._moves_by_itself(task, lenient):
                moving.append(task.id)
                continue
            waiting[task.id] = task
            for number in self._candidates(task, lenient):
                needed_by.setdefault(number, []).append(task.id)
        moves = set(moving)
        for number in list(waiting):  # needs something that is not even in the snapshot
            if self._freed(waiting[number], moves, lenient):
                moves.add(number)
                moving.append(number)
        while moving:
            for number in needed_by.get(moving.popleft(), ()):
                if number not in moves and self._freed(waiting[number], moves, lenient):
                    moves.add(number)
                    moving.append(number)
        return set(waiting) - moves

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
        if wait.resource is not None:
            item = self.resources.get(wait.resource)
            return item is None or not self._blockers(item, lenient)
        if not wait.tasks:
            return True
        # Something unknown may end an "any", or fail and so end an "all_or_error".
        return wait.opaque and (
            wait.needs == "any" or (wait.needs == "all_or_error" and not lenient)
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
        """Ids of the tasks one of which must give a primitive back; () when unknown."""
        if not item.locked and item.permits is not None:
            return ()
        if not lenient and not (item.sound and item.accounted):
            return ()
        return tuple(holder.task for holder in item.holders)

    def _candidates(self, task: Task, lenient: bool) -> tuple[int, ...]:
        """Tasks whose moving may free this one."""
        wait = task.wait
        if wait is None:
            return ()
        if wait.resource is not None:
            return self._blockers(self.resources[wait.resource], lenient)
        return wait.tasks

    def _freed(self, task: Task, moves: set[int], lenient: bool) -> bool:
        """True when enough of what a task needs may move."""
        needed = self._candidates(task, lenient)
        free = [number not in self.tasks or number in moves for number in needed]
        wait = task.wait
        if wait is None or not free:
            return True
        strictly_all = wait.needs == "all" or (wait.needs == "all_or_error" and lenient)
        if wait.resource is None and strictly_all:
            return all(free)
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

    def _doubts(self, group: Iterable[int], cycle: list[Edge]) -> tuple[str, ...]:
        """What keeps a lenient knot from being a proof."""
        found: list[str] = []
        for number in sorted(group):
            task = self.tasks[number]
            for watchdog in self.watchdogs(task):
                found.append(
                    f"{watchdog.name} ({watchdog.id}) may cancel {task.name} when it wakes"
                )
            if task.wait is not None and task.wait.needs == "all_or_error":
                free = [n for n in task.wait.tasks if n not in group]
                if free or task.wait.opaque:
                    found.append(f"something else that {task.name} waits for may fail and wake it")
        for edge in cycle:
            item = self.resources.get(edge.resource or "")
            if item is None:
                continue
            if not item.sound:
                found.append(f"{item.type} {item.name} has an acquire or release of its own")
            elif item.permits is None:
                found.append(f"{item.type} {item.name} does not tell how many permits it has")
            elif any(holder.how in CODE for holder in item.holders):
                found.append(
                    f"that {self.tasks[edge.needed].name} holds {item.type} {item.name} "
                    "is read from its code, which is likely, not certain"
                )
            elif not item.accounted:
                found.append(f"who holds {item.type} {item.name} is likely, not certain")
        return tuple(dict.fromkeys(found))


def cancelled_with(task: Task) -> tuple[int, ...]:
    """Ids of the tasks to which a cancellation of ``task`` is passed on."""
    awaited: tuple[int, ...] = ()
    if task.wait is not None and task.wait.kind in _PASSES_CANCEL:
        awaited = task.wait.tasks
    return (*awaited, *task.children)


def _is_cycle(group: list[int], edges: dict[int, list[Edge]]) -> bool:
    return len(group) > 1 or any(edge.needed == group[0] for edge in edges[group[0]])


def components(edges: dict[int, list[Edge]]) -> list[list[int]]:
    """Strongly connected components (Tarjan's algorithm without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    found: list[list[int]] = []
    for root, leaving in edges.items():
        if root in index:
            continue
        work = [(root, iter(leaving))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            for edge in following:
                other = edge.needed
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(edges[other])))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    group = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        group.append(member)
                        if member == node:
                            break
                    found.append(sorted(group))
    return found


def _shortest_cycle(group: list[int], edges: dict[int, list[Edge]]) -> list[Edge]:
    """Edges of a shortest cycle through the first member that is on one."""
    members = set(group)
    best: list[Edge] = []
    for start in group[:100]:  # a big knot need not give its very shortest cycle
        came: dict[int, Edge] = {}
        todo = deque([start])
        seen = {start}
        while todo:
            node = todo.popleft()
            for edge in edges[node]:
                if edge.needed == start:
                    path = [edge]
                    while path[-1].waiter != start:
                        path.append(came[path[-1].waiter])
                    if not best or len(path) < len(best):
                        best = path[::-1]
                    todo.clear()
                    break
                if edge.needed in members and edge.needed not in seen:
                    seen.add(edge.needed)
                    came[edge.needed] = edge
                    todo.append(edge.needed)
        if best and len(best) <= 2:  # noqa: PLR2004 - no shorter cycle between tasks worth a search
            break
    return best


def _victims(cyclic: list[list[int]], edges: dict[int, list[Edge]]) -> list[set[int]]:
    """For each cycle, the stuck tasks that only wait behind it; each belongs to one."""
    waiters: dict[int, list[int]] = {}
    for number, needs in edges.items():
        for edge in needs:
            waiters.setdefault(edge.needed, []).append(number)
    taken = {number for group in cyclic for number in group}
    found = []
    for group in cyclic:
        victims: set[int] = set()
        todo = list(group)
        while todo:
            for number in waiters.get(todo.pop(), ()):
                if number not in taken:
                    taken.add(number)
                    victims.add(number)
                    todo.append(number)
        found.append(victims)
    return found
