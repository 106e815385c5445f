"""Every task of the process, from any thread, whatever the loop does meanwhile.

3.10 and 3.11 keep tasks in ``_all_tasks``; 3.12 and 3.13 in ``_scheduled_tasks``
and ``_eager_tasks``; since 3.14 C tasks are in linked lists that only
``asyncio.all_tasks(loop)`` reads. ``all_tasks`` of the older versions iterates a
WeakSet that other threads change and can take seconds; a list copy of the set's
``data`` is one atomic step.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import tasks as _tasks
from collections.abc import Iterable
from typing import Any

from asyncconsole.capture import futures


def tasks(loops: Iterable[Any]) -> list[Any]:
    """Tasks that are not done; ``loops`` is where to look on 3.14 and later."""
    found: dict[int, Any] = {}
    for reference in _references():
        task = reference()
        if task is not None and not futures.done(task):
            found[id(task)] = task
    eager = getattr(_tasks, "_eager_tasks", None)
    for task in list(eager) if type(eager) is set else ():
        if not futures.done(task):
            found[id(task)] = task
    if sys.version_info >= (3, 14):
        for loop in loops:
            for _ in range(3):
                try:
                    for task in asyncio.all_tasks(loop):
                        found[id(task)] = task
                    break
                except RuntimeError:
                    continue  # a set of foreign tasks changed size under us
    return list(found.values())


def _references() -> list[Any]:
    """Weak references that the registries hold."""
    found: list[Any] = []
    for name in ("_all_tasks", "_scheduled_tasks"):
        data = getattr(getattr(_tasks, name, None), "data", None)
        if type(data) is set:
            found += list(data)
    return found
