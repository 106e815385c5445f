"""Reading tasks and futures through their base class's own C descriptors.

A program may subclass ``Task`` and override anything; what is read here is what
the event loop itself uses. Attributes are those of CPython 3.10 to 3.15
(``Modules/_asynciomodule.c``) and of the pure Python classes.
"""

from __future__ import annotations

import asyncio
import sys
import types
from asyncio import futures as _futures
from asyncio import tasks as _tasks
from typing import Any

from asyncconsole.capture.objects import attribute

CTask: Any = _tasks.Task
CFuture: Any = _futures.Future
PyTask: Any = _tasks._PyTask  # type: ignore[attr-defined]  # noqa: SLF001
PyFuture: Any = _futures._PyFuture  # type: ignore[attr-defined]  # noqa: SLF001
GatheringFuture: Any = _tasks._GatheringFuture  # type: ignore[attr-defined]  # noqa: SLF001
TASKS = (CTask, PyTask)
FUTURES = (CFuture, PyFuture)


def _slot(cls: Any, name: str) -> Any:
    """A getter for a C attribute that skips whatever a subclass put over it."""
    for base in cls.__mro__:
        descriptor = base.__dict__.get(name)
        if descriptor is not None:
            return descriptor.__get__
    return None


_WAITER = _slot(CTask, "_fut_waiter")
_CORO = _slot(CTask, "_coro")
_STATE = _slot(CFuture, "_state")
_CALLBACKS = _slot(CFuture, "_callbacks")
_CANCELLING = getattr(CTask, "cancelling", None)
_LOOP = _slot(CFuture, "_loop")


def is_task(thing: Any) -> bool:
    """True for tasks of either implementation, subclasses included."""
    return issubclass(type(thing), TASKS)


def is_future(thing: Any) -> bool:
    """True for futures (and tasks) of either implementation."""
    return issubclass(type(thing), FUTURES)


def waiter(task: Any) -> Any:
    """The future that a task is suspended on, or None."""
    if issubclass(type(task), CTask):
        return _WAITER(task)
    return attribute(task, "_fut_waiter")


def coroutine(task: Any) -> Any:
    """The coroutine that a task runs, or None."""
    if issubclass(type(task), CTask):
        # Not get_coro(): it crashes on 3.12.1 and earlier where an eager task has just ended
        # (``_asyncio_Task_get_coro_impl`` in ``Modules/_asynciomodule.c``), at any time for
        # whoever reads from another thread.
        return _CORO(task)
    return attribute(task, "_coro")


def name(task: Any) -> str:
    """A task's name, as plain text."""
    found = CTask.get_name(task) if issubclass(type(task), CTask) else attribute(task, "_name")
    return str.__str__(found) if issubclass(type(found), str) else "?"


def cancelling(task: Any) -> int:
    """Cancellation requests not yet served; 0 where Python doesn't count (3.10)."""
    if issubclass(type(task), CTask):
        return _CANCELLING(task) if _CANCELLING is not None else 0
    found = attribute(task, "_num_cancels_requested", 0)
    return found if type(found) is int else 0


def done(future: Any) -> bool:
    """True unless the future is known to be pending."""
    kind = type(future)
    if kind is CTask or kind is CFuture:
        return _STATE(future) != "PENDING"  # type: ignore[no-any-return]  # a comparison of texts
    return state(future) != "PENDING"


def state(future: Any) -> str:
    """``PENDING``, ``CANCELLED``, ``FINISHED``; "" for a foreign object."""
    found = _STATE(future) if issubclass(type(future), CFuture) else attribute(future, "_state", "")
    return found if type(found) is str else ""


def loop(future: Any) -> Any:
    """The loop a future belongs to, or None."""
    if issubclass(type(future), CFuture):
        return _LOOP(future)
    return attribute(future, "_loop")


def callbacks(future: Any) -> list[Any]:
    """The functions that run when the future is done."""
    return [callback for callback, _ in reactions(future)]


def reactions(future: Any) -> list[tuple[Any, Any]]:
    """The functions that run when the future is done, each with its context (or None)."""
    if issubclass(type(future), CFuture):
        found = _CALLBACKS(future)
    else:
        found = attribute(future, "_callbacks")
    if type(found) is not list:
        return []
    return [_reaction(item) for item in found]


def _reaction(item: Any) -> tuple[Any, Any]:
    if type(item) is tuple and item:
        return item[0], item[1] if len(item) > 1 else None
    return item, None


def callback_named(future: Any, qualname: str) -> Any:
    """The first callback of that qualified name, or None."""
    for callback in callbacks(future):
        if type(callback) is types.FunctionType and callback.__qualname__ == qualname:
            return callback
    return None


def current(of: asyncio.AbstractEventLoop) -> Any:
    """The task that executes on a loop right now, from any thread.

    Up to 3.13 a dictionary holds it; from 3.14 it is kept per thread and
    ``current_task(loop)`` looks there, while tasks written in Python still use the dictionary.
    """
    if sys.version_info >= (3, 14):
        try:
            task = asyncio.current_task(of)
        except RuntimeError:
            task = None
        if task is not None:
            return task
    found = getattr(_tasks, "_current_tasks", None)
    if type(found) is not dict:
        return None
    # Not by lookup: that would ask the loop for its hash.
    return next((task for loop, task in list(found.items()) if loop is of), None)
