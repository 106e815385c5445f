"""Tasks that a TaskGroup cancels together when one of them fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from asyncconsole.model import Task


@dataclass(frozen=True, slots=True)
class Siblings:
    """Tasks of a TaskGroup that are cancelled if one of ``may_fail`` fails."""

    members: tuple[int, ...]
    may_fail: tuple[int, ...]


def siblings(tasks: Mapping[int, Task]) -> list[Siblings]:
    """The groups of some tasks, by their ids.

    The task that entered a group can fail as well, while it is still in the body.
    """
    found = []
    for task in tasks.values():
        wait = task.wait
        if wait is not None and wait.kind == "task_group" and wait.tasks:
            found.append(Siblings(wait.tasks, _may_fail(wait.tasks, tasks)))
        if task.children:
            found.append(Siblings(task.children, _may_fail((*task.children, task.id), tasks)))
    return found


def _may_fail(numbers: Iterable[int], tasks: Mapping[int, Task]) -> tuple[int, ...]:
    """Those of the tasks that may well fail.

    One in a loop without end is not expected to; any other one will soon have ended,
    and then it is known.
    """
    return tuple(number for number in numbers if number in tasks and not tasks[number].endless)
