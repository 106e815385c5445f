"""Await cycles: tasks that await each other.

``Task.cancel`` passes the request on to what the task awaits, so on a cycle it
recurses until RecursionError and cancels nothing (CPython 3.10 to 3.15). What does
work: take the task's wake-up out of the callbacks of the future it awaits and call
it with a future that is already cancelled; the task then unwinds with
CancelledError and lets the others go.
"""

from __future__ import annotations

from typing import Any

from asyncconsole.act.wakeup import detach, wake
from asyncconsole.capture import futures
from asyncconsole.capture.chain import walk
from asyncconsole.capture.waits import understand

FARTHEST = 100_000
"""Tasks that are followed before a cycle is taken not to be there."""


def in_await_cycle(task: Any) -> bool:
    """True when what ``task`` awaits leads back to it (or into any cycle)."""
    seen: set[int] = set()
    todo = [(task, iter(_awaited(task)))]
    path = {id(task)}
    while todo and len(seen) < FARTHEST:
        current, following = todo[-1]
        for other in following:
            if id(other) in path:
                return True
            if id(other) not in seen:
                seen.add(id(other))
                path.add(id(other))
                todo.append((other, iter(_awaited(other))))
                break
        else:
            path.discard(id(current))
            todo.pop()
    return False


def innermost(task: Any) -> Any:
    """The task at the end of the chain that ``task`` awaits."""
    for _ in range(FARTHEST):
        below = _awaited(task)
        if len(below) != 1:
            break
        task = below[0]
    return task


def _awaited(task: Any) -> list[Any]:
    """Tasks that ``task`` waits for and that hear of its cancellation."""
    future = futures.waiter(task)
    if future is None or futures.done(future):
        return []
    found = understand(walk(futures.coroutine(task)), future)
    return [] if found.kind == "shield" else found.tasks


def entries(task: Any) -> list[Any]:
    """Tasks to unwind so that ``task``, which awaits into a cycle, can be cancelled.

    Itself; but a task that waits in its TaskGroup would only hand the request on to its
    children, and wait again: there, the children that are part of a cycle.
    """
    future = futures.waiter(task)
    if future is None or futures.done(future):
        return [task]
    found = understand(walk(futures.coroutine(task)), future)
    if found.kind != "task_group":
        return [task]
    return [child for child in found.tasks if in_await_cycle(child)] or [task]


def unwind(task: Any) -> bool:
    """Throw CancelledError into a task without going through what it awaits.

    Must run on the task's own loop.

    Returns:
        False when the task's wake-up can't be found.
    """
    wakeup = detach(task)
    if wakeup is None:
        return False
    cancelled = futures.loop(task).create_future()
    cancelled.cancel()
    wake(task, wakeup, cancelled)
    return True
