"""Every task of the process, from any thread, whatever the loop does meanwhile.

3.10 and 3.11 keep tasks in ``_all_tasks``; 3.12 and 3.13 in ``_scheduled_tasks``
and ``_eager_tasks``; since 3.14 C tasks are in linked lists that only
``asyncio.all_tasks(loop)`` reads. ``all_tasks`` of the older versions iterates a
WeakSet that other threads change and can take seconds; a list copy of the set's
``data`` is one atomic step.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from asyncio import tasks as _tasks
from collections.abc import Iterable, Iterator
from typing import Any

from asyncconsole.capture import futures


def tasks(loops: Iterable[Any], only: Any = None) -> list[Any]:
    """Tasks that are not done; ``loops`` is where to look on 3.14 and later.

    Args:
        loops: Loops that are known.
        only: Leave alone the tasks of all other loops; None for no such limit.
    """
    found: dict[int, Any] = {}
    done = futures.done
    for reference in _references():
        task = reference()
        if task is None or (only is not None and futures.loop(task) is not only):
            continue
        if not done(task):
            found[id(task)] = task
    eager = getattr(_tasks, "_eager_tasks", None)
    for task in list(eager) if type(eager) is set else ():
        if only is not None and futures.loop(task) is not only:
            continue
        if not futures.done(task):
            found[id(task)] = task
    if sys.version_info >= (3, 14):
        # It asks each task of a subclass for done(), get_loop() and its hash, which may raise.
        failed = False
        for loop in loops:
            for _ in range(3):
                try:
                    for task in asyncio.all_tasks(loop):
                        found[id(task)] = task
                    break
                except RuntimeError:
                    continue  # a set of foreign tasks changed size under us
                except Exception:
                    failed = True
                    break
            else:
                failed = True
        if failed:
            found.update((id(task), task) for task in _searched())
    return list(found.values())


def registered() -> int:
    """At least how many tasks there are, ended ones included; 0 where only asking all tells."""
    return sum(map(len, _registries()))


def _searched() -> list[Any]:
    """Every task that the garbage collector knows: slow, and asks nobody."""
    every = [thing for thing in gc.get_objects() if futures.is_task(thing)]
    return [task for task in every if not futures.done(task)]


def _references() -> list[Any]:
    """Weak references that the registries hold."""
    found: list[Any] = []
    for data in _registries():
        found += list(data)
    return found


def _registries() -> Iterator[set[Any]]:
    """Where they are."""
    for name in ("_all_tasks", "_scheduled_tasks"):
        data = getattr(getattr(_tasks, name, None), "data", None)
        if type(data) is set:
            yield data
