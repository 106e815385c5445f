"""Threads and loops that wait for each other.

A thread in a blocking wait needs what completes it; a task needs the thread of its loop, and
what it awaits; a job needs a thread of its pool. A least fixpoint marks what may still go
on, as in `graph`; in what is left there is a circle. Strict reading: waits that end by
themselves, and whatever is only likely, may go on. Lenient reading: they may not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from asyncconsole.diagnose.graph import cancelled_with
from asyncconsole.model import Loop, Snapshot, Task, Thread
from asyncconsole.model.blocked import Blocked, Source

NodeKind = Literal["thread", "end", "task", "wait", "pool", "loop"]


class Node(NamedTuple):
    """Something that goes on or not.

    ``thread``: that it leaves its blocking wait; ``end``: that it, or its job, ends; ``task``:
    that it makes a step; ``wait``: that what the task awaits is there; ``pool``: that one of
    its threads takes the next job; ``loop``: that it runs its next callbacks.
    """

    kind: NodeKind
    number: int


class Needs(NamedTuple):
    """What a node needs: all or any one of others."""

    every: bool
    nodes: tuple[Node, ...]


FREE = Needs(every=True, nodes=())
"""Goes on by itself, or may."""

Circle = tuple[Node, ...]
"""Each needs the next, and the last the first."""


class Bridges:
    """What in a snapshot can't go on because of its threads.

    Args:
        snapshot: The program.
        moving: Ids of tasks that have moved since an earlier look.
        restless: Idents of threads that have.
        lenient: Read leniently.

    Attributes:
        dead: What can't go on.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        moving: frozenset[int] = frozenset(),
        restless: frozenset[int] = frozenset(),
        *,
        lenient: bool = False,
    ) -> None:
        self.snapshot = snapshot
        self.threads: dict[int, Thread] = {one.ident: one for one in snapshot.threads}
        self.loops: dict[int, Loop] = {one.id: one for one in snapshot.loops if not one.guessed}
        self._moving = moving
        self._restless = restless
        self._lenient = lenient
        self._needs: dict[Node, Needs] = {}
        self._before: dict[Node, list[Node]] = {}
        self.dead: set[Node] = set()
        self.tasks: dict[int, Task] = {}
        blocked = [one for one in snapshot.threads if one.blocked is not None]
        if blocked:
            self.tasks = {task.id: task for task in snapshot.tasks}
            self._pools = {pool.id: pool for pool in snapshot.pools}
            self._jobs = self._jobs_of_tasks()
            self._cancellable = self._may_be_cancelled()
            self._close(Node("thread", one.ident) for one in blocked)
            self._settle()

    def circles(self) -> list[tuple[Circle, tuple[Node, ...]]]:
        """One circle, the shortest from its thread, of all that need each other.

        It begins with a thread, of a loop if there is one. With it come all the nodes.
        """
        owners = {loop.thread_id for loop in self.loops.values() if loop.thread_id is not None}
        dead = [node for node in self.dead if node.kind == "thread"]
        found: list[tuple[Circle, tuple[Node, ...]]] = []
        seen: set[Node] = set()
        for node in sorted(dead, key=lambda one: (one.number not in owners, one.number)):
            if node not in seen:
                circle = self._circle(node)
                if circle:
                    ahead, behind = self._reach(node), self._reach(node, backwards=True)
                    members = tuple(one for one in ahead if one in behind)
                    found.append((circle, members))
                    seen.update(members)
        return found

    def _reach(self, start: Node, *, backwards: bool = False) -> dict[Node, None]:
        """All dead nodes that one needs, however far away; or that need it."""
        found = {start: None}
        todo = [start]
        while todo:
            node = todo.pop()
            after = self._before.get(node, ()) if backwards else self._needs[node].nodes
            for other in after:
                if other in self.dead and other not in found:
                    found[other] = None
                    todo.append(other)
        return found

    def blocked(self, node: Node) -> Blocked | None:
        """The blocking wait of a thread."""
        thread = self.threads.get(node.number)
        return thread.blocked if thread is not None else None

    def loop_in(self, ident: int) -> Loop | None:
        """The loop that a thread runs."""
        return next((loop for loop in self.loops.values() if loop.thread_id == ident), None)

    def source(self, node: Node, following: Node) -> Source | None:
        """What a blocked thread waits for, as it is told, if the next node stands for it."""
        blocked = self.blocked(node)
        kinds = {"end": "thread", "thread": "thread"}
        wanted = (kinds.get(following.kind, following.kind), following.number)
        sources = blocked.sources if blocked is not None else ()
        return next((one for one in sources if (one.kind, one.number) == wanted), None)

    def holders(self, blocked: Blocked) -> tuple[int, ...]:
        """Ids of the tasks that have the lock a thread waits for."""
        item = self.snapshot.resource(blocked.resource) if blocked.resource else None
        return tuple(holder.task for holder in item.holders) if item is not None else ()

    def _jobs_of_tasks(self) -> dict[int, Node]:
        """For each task that waits for a job, what runs it or will."""
        found = {}
        for pool in self.snapshot.pools:
            for job in pool.jobs:
                node = Node("pool", pool.id) if job.thread is None else Node("end", job.thread)
                found.update(dict.fromkeys(job.tasks, node))
        for start in self.snapshot.starts:
            found.update(dict.fromkeys(start.tasks, Node("loop", start.loop)))
        return found

    def _may_be_cancelled(self) -> set[int]:
        """Tasks that a timeout, of their own or of who awaits them, will cancel."""
        found: set[int] = set()
        todo = [
            task.id
            for task in self.tasks.values()
            if task.deadline is not None or (task.wait is not None and task.wait.due is not None)
        ]
        while todo:
            number = todo.pop()
            if number not in found and number in self.tasks:
                found.add(number)
                todo += cancelled_with(self.tasks[number])
        return found

    def _close(self, start: Iterable[Node]) -> None:
        """Find out what the nodes need, and what that needs, and so on."""
        todo = list(start)
        while todo:
            node = todo.pop()
            if node not in self._needs:
                self._needs[node] = self._needed(node)
                todo += self._needs[node].nodes

    def _settle(self) -> None:
        """Mark as dead what nothing frees."""
        before = self._before
        for node, needs in self._needs.items():
            for other in needs.nodes:
                before.setdefault(other, []).append(node)
        free = {node for node, needs in self._needs.items() if not needs.nodes}
        todo = deque(free)
        while todo:
            for node in before.get(todo.popleft(), ()):
                needs = self._needs[node]
                if node not in free and (not needs.every or free.issuperset(needs.nodes)):
                    free.add(node)
                    todo.append(node)
        self.dead = set(self._needs) - free

    def _circle(self, start: Node) -> Circle:
        """The shortest way through what is dead from a node back to it."""
        came: dict[Node, Node] = {}
        todo = deque([start])
        while todo:
            node = todo.popleft()
            for other in self._needs[node].nodes:
                if other == start:
                    way = [node]
                    while way[-1] != start:
                        way.append(came[way[-1]])
                    return tuple(reversed(way))
                if other in self.dead and other not in came:
                    came[other] = node
                    todo.append(other)
        return ()

    def _needed(self, node: Node) -> Needs:
        """What a node needs to go on."""
        if node.kind == "thread":
            return self._of_thread(node.number)
        if node.kind == "end":
            return self._of_end(node.number)
        if node.kind == "task":
            return self._of_task(node.number)
        if node.kind == "wait":
            return self._of_wait(self.tasks[node.number])
        if node.kind == "loop":
            loop = self.loops.get(node.number)
            if loop is None or loop.thread_id is None:
                return FREE
            return Needs(every=True, nodes=(Node("thread", loop.thread_id),))
        pool = self._pools.get(node.number)
        if pool is None or not pool.full:
            return FREE
        return Needs(every=False, nodes=tuple(Node("end", ident) for ident in pool.threads))

    def _of_thread(self, ident: int) -> Needs:
        thread = self.threads.get(ident)
        blocked = thread.blocked if thread is not None else None
        if blocked is None or ident in self._restless:
            return FREE
        if not self._lenient and (blocked.bounded or not all(s.certain for s in blocked.sources)):
            return FREE
        if blocked.kind == "lock":
            return self._of_lock(ident, blocked)
        nodes = tuple(
            Node("end" if one.kind == "thread" else one.kind, one.number) for one in blocked.sources
        )
        return Needs(every=blocked.needs == "all", nodes=nodes)

    def _of_lock(self, ident: int, blocked: Blocked) -> Needs:
        item = self.snapshot.resource(blocked.resource) if blocked.resource else None
        holders = item.holders if item is not None else ()
        nodes = [Node("task", holder.task) for holder in holders]
        if nodes and item is not None and blocked.type == "threading.Lock":
            known = item.accounted and item.sound
            return Needs(every=True, nodes=tuple(nodes)) if known or self._lenient else FREE
        owners = [Node("thread", one.number) for one in blocked.sources if one.number != ident]
        if nodes:  # an RLock that another loop's thread has, for these tasks of it
            theirs = [n for n in nodes if self._thread_of(n.number) in {o.number for o in owners}]
            return Needs(every=True, nodes=tuple(theirs or owners))
        return Needs(every=True, nodes=tuple(owners[:1])) if len(owners) == 1 else FREE

    def _thread_of(self, number: int) -> int | None:
        """Ident of the thread that runs a task's loop."""
        task = self.tasks.get(number)
        loop = self.loops.get(task.loop) if task is not None else None
        return loop.thread_id if loop is not None else None

    def _of_end(self, ident: int) -> Needs:
        thread = self.threads.get(ident)
        if thread is None:
            return FREE
        runs = [Node("task", number) for number in thread.runs]
        return Needs(every=True, nodes=(Node("thread", ident), *runs))

    def _of_task(self, number: int) -> Needs:
        task = self.tasks.get(number)
        thread = self._thread_of(number)
        if task is None or thread is None:
            return FREE
        if task.state == "running":
            return Needs(every=True, nodes=(Node("thread", thread),))
        return Needs(every=True, nodes=(Node("thread", thread), Node("wait", number)))

    def _of_wait(self, task: Task) -> Needs:
        wait = task.wait
        if wait is None or task.id in self._moving or task.id in self._cancellable:
            return FREE
        if task.watchers and not self._lenient:
            return FREE
        tasks = tuple(Node("task", number) for number in wait.tasks)
        if wait.kind == "executor":  # a job, or a coroutine of another loop
            job = self._jobs.get(task.id)
            return Needs(every=True, nodes=tasks or ((job,) if job is not None else ()))
        if wait.resource is not None:
            item = self.snapshot.resource(wait.resource)
            if item is None or not (item.sound and item.accounted):
                return FREE
            return Needs(every=False, nodes=tuple(Node("task", h.task) for h in item.holders))
        if wait.opaque:
            return FREE
        return Needs(every=wait.needs == "all", nodes=tasks)


@dataclass(frozen=True, slots=True)
class Bridge:
    """A circle, and how it was found.

    Attributes:
        circle: It.
        members: All nodes that need it and that it needs, in whatever way.
        bridges: What it was found in.
        lenient: True when it is no proof.
    """

    circle: Circle
    members: tuple[Node, ...]
    bridges: Bridges
    lenient: bool = False

    @property
    def threads(self) -> tuple[int, ...]:
        """Idents of the threads in it that wait, those of the circle first."""
        nodes = dict.fromkeys((*self.circle, *self.members))
        return tuple(node.number for node in nodes if node.kind == "thread")

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The loops in it that are blocked."""
        found = (self.bridges.loop_in(ident) for ident in self.threads)
        return tuple(loop for loop in found if loop is not None)


def bridges(
    snapshot: Snapshot, moving: frozenset[int] = frozenset(), moved: frozenset[int] = frozenset()
) -> tuple[Bridge, ...]:
    """Every circle of threads: those that are proofs, then those that only block a loop.

    Args:
        snapshot: The program.
        moving: Ids of tasks that have moved since an earlier look.
        moved: Idents of threads that have.
    """
    strict = Bridges(snapshot, moving, moved)
    found = [Bridge(*circle, strict) for circle in strict.circles()]
    known = {ident for one in found for ident in one.threads}
    likely = Bridges(snapshot, moving, moved, lenient=True)
    for circle in likely.circles():
        one = Bridge(*circle, likely, lenient=True)
        if known.isdisjoint(one.threads) and any(loop.blocked for loop in one.loops):
            found.append(one)
    return tuple(found)
