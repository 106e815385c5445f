"""Timers that a loop has scheduled and that will wake or cancel a task.

``loop.call_later(5, task.cancel)``, ``asyncio.timeout`` and the timer behind
``wait_for`` all end a wait from outside. A loop that hides its timers shows only those
that a frame keeps; see `asyncconsole.capture.waits.timer_in`.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import types
from collections.abc import Generator
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.names import own_class
from asyncconsole.capture.objects import Types, attribute, contents
from asyncconsole.capture.readers import reader_for
from asyncconsole.capture.waiting import timer

SLICE = 2_000
_METHODS = Types(types.MethodType, types.BuiltinMethodType)
_CALLS = Types(types.MethodType, types.BuiltinMethodType, types.FunctionType, functools.partial)
_GROUPS = Types(list, tuple, set)
_SLEEP: Any = asyncio.futures._set_result_unless_cancelled  # type: ignore[attr-defined]  # noqa: SLF001


def scheduled(loop: Any) -> Generator[None, None, dict[int, float]]:
    """When a timer of ``loop`` first acts on a task, future or primitive, by its ``id``.

    Yields:
        None, between slices.

    Returns:
        Loop times; {} when the loop doesn't tell.
    """
    found: dict[int, float] = {}
    for index, handle in enumerate(_handles(loop)):
        if index % SLICE == SLICE - 1:
            yield
        when = timer(handle)
        if when is None:
            continue
        if uvloop.is_timer(handle):
            callback, arguments = uvloop.callback(handle)
        else:
            callback, arguments = attribute(handle, "_callback"), attribute(handle, "_args")
        if callback is _SLEEP:
            continue
        for target in targets(callback, arguments, 0):
            found[id(target)] = min(when, found.get(id(target), when))
    return found


def _handles(loop: Any) -> list[Any]:
    """A copy of the timer handles that a loop has scheduled."""
    if uvloop.is_loop(loop):
        return uvloop.timers(loop)
    handles = attribute(loop, "_scheduled")
    return list(handles) if type(handles) is list else []


def targets(callback: Any, arguments: Any, depth: int) -> list[Any]:
    """Tasks, futures and primitives that a callback refers to."""
    found = []
    items = list(arguments) if type(arguments) is tuple else []
    if type(callback) in _METHODS:
        items.append(callback.__self__)
        if own_class(type(callback.__self__)):  # what it keeps, it may cancel
            for item in gc.get_referents(callback.__self__):
                items += [item, *(item.values() if type(item) is dict else ())]
    elif type(callback) is functools.partial:
        items += [callback.func, *callback.args, *callback.keywords.values()]
    elif type(callback) is types.FunctionType:
        items += contents(callback.__closure__ or ())
        items += callback.__defaults__ or ()
    for item in items[:100]:
        if futures.is_future(item) or reader_for(item) is not None:
            found.append(item)
        elif futures.is_task(attribute(item, "_task")):  # asyncio.Timeout and its like
            found.append(attribute(item, "_task"))
        elif depth < 3 and type(item) in _CALLS:  # noqa: PLR2004 - partial of a method of a closure
            found += targets(item, (), depth + 1)
        elif type(item) in _GROUPS:
            found += [task for task in list(item)[:1000] if futures.is_future(task)]
    return found
