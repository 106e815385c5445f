"""What rules about threads that wait for each other share."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.phrases import counted, lasting, spot, waits, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.stalled import FEW
from asyncconsole.diagnose.threads import Bridge, Node
from asyncconsole.model import Finding, Loop, ResourceRef, Task, TaskRole
from asyncconsole.model.blocked import Blocked
from asyncconsole.model.finding import Role, ThreadRef

ASSUMES = {
    "lock": "whoever takes this lock gives it back, and nobody else does",
    "other": "nobody else completes or cancels what is waited for",
}

LOCKS = frozenset({"lock", "semaphore"})
"""What a thread waits for that others have to give back."""


class BridgeRule:
    """A rule about threads and loops that wait for each other; subclasses say which and why."""

    kind = ""
    rank = 60
    fix = ""

    def claims(self, one: Bridge) -> bool:
        """True when these are of this kind."""
        raise NotImplementedError

    def summary(self, case: Case, one: Bridge) -> str:
        """One sentence."""
        raise NotImplementedError

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for each circle of this kind."""
        return [self._finding(case, one) for one in case.bridges if self.claims(one)]

    def _finding(self, case: Case, one: Bridge) -> Finding:
        blocked = [first_wait(one, node) for node in one.circle]
        locks = {item.resource: item for item in blocked if item is not None and item.resource}
        stalls = [number for loop in one.loops for number in case.stalled(loop.id)]
        return Finding(
            id="",
            verdict="stall" if one.lenient else "deadlock",
            proven=not one.lenient,
            kind=self.kind,
            summary=self.summary(case, one),
            tasks=tuple(_roles(one)),
            resources=tuple(ResourceRef(key, i.type, i.name) for key, i in locks.items()),
            evidence=tuple(_evidence(case, one)),
            fix=self.fix,
            now=_now(one),
            assumes=_doubt(one) if one.lenient else ASSUMES["lock" if locks else "other"],
            stall_ids=tuple(stalls),
            threads=tuple(_threads(one)),
        )


def _now(one: Bridge) -> str:
    """What to type: a task of a loop that still turns can be cancelled."""
    stuck = [node.number for node in one.circle if node.kind == "wait"]
    if stuck and not one.loops:
        return f"cancel {stuck[0]}   then the thread that waits for it goes on"
    return (
        "stacktrace   shows the threads; no command can free them, the program has to be "
        "started anew"
    )


def first_wait(one: Bridge, node: Node | None = None) -> Blocked | None:
    """What a thread of a circle waits for; the first thread when no node is given."""
    node = one.circle[0] if node is None else node
    return one.bridges.blocked(node) if node.kind == "thread" else None


def kinds(one: Bridge) -> set[str]:
    """Which kinds of nodes are on the circle."""
    return {node.kind for node in one.circle}


def alone(one: Bridge) -> bool:
    """True when one thread alone waits for itself."""
    return len(one.threads) == 1


def blocker(one: Bridge) -> str:
    """``handler (3)``, or the thread, for the first thread of a circle."""
    ident = one.circle[0].number
    loop = one.bridges.loop_in(ident)
    task = one.bridges.tasks.get(loop.task) if loop is not None and loop.task else None
    if task is not None:
        return who(task)
    return f"a callback of {loop_name(loop)}" if loop is not None else thread_name(one, ident)


def where(blocked: Blocked | None) -> str:
    """`` in Future.result at app.py:12 in handler``."""
    if blocked is None:
        return ""
    at = f" at {spot(blocked.frame)}" if blocked.frame is not None else ""
    return f" in {blocked.call}{at}"


def loop_name(loop: Loop | None) -> str:
    """``loop 1``."""
    return f"loop {loop.id}" if loop is not None else "a loop"


def thread_name(one: Bridge, ident: int) -> str:
    """``thread worker_0``."""
    thread = one.bridges.threads.get(ident)
    name = thread.name if thread is not None else ""
    return f"thread {name or ident}"


def _roles(one: Bridge) -> Iterable[TaskRole]:
    """The tasks that run and block, those of the circle, and those behind it."""
    seen: set[int] = set()
    for number, name in _parts(one):
        task = one.bridges.tasks.get(number)
        if task is not None and task.id not in seen:
            seen.add(task.id)
            yield TaskRole(task.id, task.name, name)


def _parts(one: Bridge) -> Iterable[tuple[int, Role]]:
    """Tasks and their roles, the most telling role of each first."""
    bridges = one.bridges
    yield from ((loop.task, "culprit") for loop in one.loops if loop.task is not None)
    waits = [blocked for node in one.members if (blocked := first_wait(one, node)) is not None]
    for blocked in waits:
        if blocked.kind == "lock":
            yield from ((number, "holder") for number in bridges.holders(blocked))
    yield from ((node.number, "stuck") for node in one.members if node.kind in {"task", "wait"})
    if not one.loops:  # whose jobs these threads run
        workers = [bridges.threads[ident] for ident in one.threads]
        yield from ((number, "stuck") for thread in workers for number in thread.works_for)
    pools = {node.number for node in one.members if node.kind == "pool"}
    for pool in bridges.snapshot.pools:
        for job in pool.jobs if pool.id in pools else ():
            yield from ((number, "victim") for number in job.tasks)
    loops = {loop.id for loop in one.loops}
    behind = [task.id for task in bridges.tasks.values() if task.loop in loops]
    if len(behind) <= FEW:
        yield from ((number, "victim") for number in behind)


def _threads(one: Bridge) -> Iterable[ThreadRef]:
    for ident in one.threads:
        thread = one.bridges.threads[ident]
        token = thread.blocked.token if thread.blocked is not None else 0
        yield ThreadRef(ident, thread.name, token)


def _evidence(case: Case, one: Bridge) -> Iterable[str]:
    bridges = one.bridges
    for index, node in enumerate(one.circle):
        following = one.circle[(index + 1) % len(one.circle)]
        if node.kind == "thread":
            yield _thread_waits(one, node, following)
        elif node.kind == "task" and following.kind == "thread":
            needing = bridges.tasks[node.number]
            if needing.state != "running":
                there = thread_name(one, following.number)
                yield f"{who(needing)} can only go on in {there}, {_stands(needing)}"
        elif node.kind == "wait":
            other = bridges.tasks.get(following.number) if following.kind == "task" else None
            yield waits(case.snapshot, bridges.tasks[node.number], other)
        elif node.kind == "pool":
            pool = next(pool for pool in bridges.snapshot.pools if pool.id == node.number)
            yield (
                f"pool {pool.name or pool.id} has {counted(len(pool.threads), 'thread')}, none of "
                f"which can go on, and {counted(pool.queued, 'job')} queued"
            )
        elif node.kind == "end" and following.kind == "task":
            task = bridges.tasks.get(following.number)
            if task is not None:
                yield f"{thread_name(one, node.number)} runs a loop until {who(task)} has ended"
    for loop in one.loops:
        if loop.blocked is not None:
            span = lasting(loop.blocked, exact=True)
            others = loop.tasks - (loop.task is not None)
            yield (
                f"{loop_name(loop)} has run no callback for {span}; "
                f"its {counted(others, 'other task')} can't go on"
            )


def _stands(task: Task) -> str:
    frame = task.where
    if task.wait is None:
        return "which has to start it" if not task.frames else "and is ready to run"
    return f"it is suspended at {spot(frame)}" if frame is not None else "it is suspended"


def _thread_waits(one: Bridge, node: Node, following: Node) -> str:
    bridges = one.bridges
    blocked = bridges.blocked(node)
    loop = bridges.loop_in(node.number)
    task = bridges.tasks.get(loop.task) if loop is not None and loop.task else None
    text = thread_name(one, node.number)
    if loop is not None:
        inside = f", running {who(task)}" if task else ""
        text += f" ({loop_name(loop)}{inside})"
    text += f" waits{where(blocked)} for {needed(one, node, following)}"
    if blocked is not None and blocked.timeout is not None:
        text += f", for {lasting(blocked.timeout, exact=True)} at most"
    return text


def needed(one: Bridge, node: Node, following: Node) -> str:
    """What a thread waits for, in words."""
    bridges = one.bridges
    blocked = bridges.blocked(node)
    source = bridges.source(node, following)
    if blocked is not None and blocked.kind == "lock":
        task = bridges.tasks.get(following.number) if following.kind == "task" else None
        holder = who(task) if task is not None else thread_name(one, following.number)
        return f"{blocked.type} {blocked.name}, held by {holder}"
    if following.kind == "task":
        task = bridges.tasks.get(following.number)
        return who(task) if task is not None else "a task"
    if following.kind == "loop":
        name = source.name if source is not None else ""
        return f"coroutine {name}, not started" if name else "a callback that is still to run"
    if following.kind == "pool":
        name = source.name if source is not None else ""
        return f"job {name}".rstrip() + ", not started"
    name = source.name if source is not None else ""
    if blocked is not None and blocked.kind == "result":
        return f"job {name}".rstrip() + f" in {thread_name(one, following.number)}"
    return f"the end of {thread_name(one, following.number)}"


def _doubt(one: Bridge) -> str:
    """Why it is no proof."""
    found = []
    for node in one.circle:
        blocked = first_wait(one, node)
        if blocked is None:
            continue
        if blocked.bounded:
            found.append(f"{blocked.call} gives up by itself")
        elif not all(source.certain for source in blocked.sources):
            found.append(f"who else may end {blocked.call} is not known")
        elif blocked.kind == "lock":
            found.append(f"who has {blocked.name} is likely, not certain")
    return "not proven: " + ("; ".join(found) or "somebody may cancel one of these tasks")
