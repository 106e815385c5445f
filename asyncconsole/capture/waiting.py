"""What a task waits for, while it is still made of live objects."""

from __future__ import annotations

import asyncio
import gc
import math
import time
import types
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.jams import Jammed
from asyncconsole.capture.objects import Types, attribute, instance_dict
from asyncconsole.model.task import Detail, Needs


@dataclass(slots=True)
class Waiting:
    """What a task waits for, still with live objects in it.

    Attributes:
        kind: As in `asyncconsole.model.Wait.kind`.
        future: The future it is suspended on.
        thing: The primitive, when it is one.
        tasks: Tasks that must end.
        needs: How many of them.
        pending: How many things are not done (gather, wait, TaskGroup).
        total: How many there are in all.
        opaque: Something unknown may end the wait as well.
        due: Monotonic time at which a timer ends it.
        phrase: Words for waits that have no primitive.
        jobs: Futures of ``concurrent.futures`` behind it, for `jobs.link` to follow.
        thread: As in `asyncconsole.model.Wait.thread`.
        details: As in `asyncconsole.model.Wait.details`.
        jammed: The streams that hold it up, with the readers that would end that.
    """

    kind: str
    future: Any
    thing: Any = None
    tasks: list[Any] = field(default_factory=list)
    needs: Needs = "all"
    pending: int | None = None
    total: int | None = None
    opaque: bool = False
    due: float | None = None
    phrase: str = ""
    jobs: list[Any] = field(default_factory=list)
    thread: int | None = None
    details: list[Detail] = field(default_factory=list)
    jammed: Jammed | None = None


def due_of(held: list[Any]) -> float | None:
    """When the first timer among these objects fires, in its loop's time."""
    due = [when for when in map(timer, held) if when is not None]
    return min(due, default=None)


def timer(thing: Any) -> float | None:
    """When a pending timer handle fires, in its loop's time; None for all else."""
    kind = type(thing)
    if kind is asyncio.TimerHandle:
        try:
            when = _WHEN(thing)
            # anyio's sleep_forever() has a timer that never fires.
            real = type(when) is float and when != math.inf
            return when if real and not _CANCELLED(thing) else None
        except AttributeError:
            return None
    if id(kind) in _NO_TIMERS.ids:
        return None
    if issubclass(kind, asyncio.TimerHandle):
        when = attribute(thing, "_when")
        real = type(when) is float and math.isfinite(when)
        return when if real and not attribute(thing, "_cancelled") else None
    if uvloop.is_timer(thing):
        when = float(thing.when())
        return when if math.isfinite(when) and not thing.cancelled() else None
    return None


_WHEN: Any = asyncio.TimerHandle.__dict__["_when"].__get__
_CANCELLED: Any = asyncio.Handle.__dict__["_cancelled"].__get__
_NO_TIMERS = Types(
    *(type(None), bool, int, float, str, bytes, dict, list, tuple, set, frozenset, type),
    *(CodeType, FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType),
    *(types.CoroutineType, types.GeneratorType, types.CellType, futures.CFuture, futures.CTask),
)
"""What a frame refers to most often."""


def loop_time(loop: Any) -> float:
    """A loop's clock. asyncio's is ``time.monotonic``; uvloop's is its own."""
    if id(type(loop)) in _MONOTONIC.ids:
        return time.monotonic()
    if uvloop.is_loop(loop):
        return float(loop.time())
    return time.monotonic()


_MONOTONIC = Types(
    asyncio.SelectorEventLoop, getattr(asyncio, "ProactorEventLoop", asyncio.SelectorEventLoop)
)


def timer_in(manager: Any) -> float | None:
    """When a timer that a context manager keeps will fire (a timeout in force).

    Works for ``asyncio.timeout``, async_timeout, anyio's cancel scopes and any
    hand-written manager that holds its timer handle in an attribute.
    """
    held = [item for item in gc.get_referents(manager) if type(item) is not type]
    held += list(instance_dict(manager).values())
    return due_of(held[:64])
