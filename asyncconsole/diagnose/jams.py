"""Tasks that are held up at streams which nobody reads: what rules about them share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asyncconsole.diagnose.phrases import listed, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Task

_BEHIND = frozenset({"task", "gather", "task_group", "shield", "wait", "wait_for"})

UNKNOWN = (
    "not proven: whether another task will read is not known (that takes a frozen copy of the "
    "program)"
)


def held_up(case: Case) -> list[Task]:
    """Tasks that wait for streams, and that no timeout will get out of it."""
    return [
        task
        for task in case.snapshot.tasks
        if task.wait is not None and task.wait.jam is not None and not case.graph.bounded(task)
    ]


def others(case: Case, group: Sequence[Task]) -> list[Task] | None:
    """Tasks that may read what holds up a group, and are not themselves behind it.

    Returns:
        None where that is not known.
    """
    told = dict(case.snapshot.autopsy.readers) if case.snapshot.autopsy is not None else {}
    if not all(task.id in told for task in group):
        return None
    behind = {task.id for task in group}
    todo = list(group)
    while todo:
        for number in todo.pop().awaited_by:
            task = case.graph.tasks.get(number)
            wait = task.wait if task is not None else None
            if task is None or wait is None or number in behind:
                continue
            if wait.kind in _BEHIND and wait.needs != "any" and not case.graph.bounded(task):
                behind.add(number)
                todo.append(task)
    found = dict.fromkeys(number for task in group for number in told[task.id])
    return [case.graph.tasks[n] for n in found if n not in behind and n in case.graph.tasks]


def victims(case: Case, group: Iterable[Task]) -> list[Task]:
    """Tasks that wait for these to end."""
    found: dict[int, Task] = {}
    todo = list(group)
    known = {task.id for task in todo}
    while todo:
        for number in todo.pop().awaited_by:
            task = case.graph.tasks.get(number)
            if task is not None and number not in known:
                known.add(number)
                found[number] = task
                todo.append(task)
    return list(found.values())


def size(count: int) -> str:
    """``262,144 bytes``."""
    return f"{count:,} byte{'s' * (count != 1)}"


def names(tasks: Iterable[Task]) -> str:
    """``client (3) and server (4)``."""
    return listed([who(task) for task in tasks])
