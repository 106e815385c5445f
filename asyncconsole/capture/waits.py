"""From the innermost levels of an await stack to what the task waits for.

Everything asyncio offers to wait on is recognised by the code object that is
suspended (an exact fact), never by a name in a traceback.
"""

from __future__ import annotations

import asyncio
import gc
import math
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from asyncconsole.capture import futures, libraries
from asyncconsole.capture.chain import Chain, Level
from asyncconsole.capture.code import code_facts
from asyncconsole.capture.exits import referents
from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.objects import attribute, cell, instance_dict, method_code, type_name
from asyncconsole.capture.readers import reader_for, wait_codes
from asyncconsole.model.task import Needs

MOST_CHILDREN = 100_000
_GATHER_CALLBACK = "gather.<locals>._done_callback"
DEEPEST = 50
"""Gathers and shields inside each other that are followed."""


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
        level: Index of the innermost level that is not part of the wait itself.
        phrase: Words for waits that have no primitive.
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
    level: int = -1
    phrase: str = ""


def understand(chain: Chain, future: Any) -> Waiting:
    """What a task with this chain, suspended on ``future``, waits for."""
    found = libraries.waited(chain, future)
    if found is not None:
        due = due_of(referents(found.timed.owner)) if found.timed is not None else None
        return Waiting(found.kind, found.future, found.thing, opaque=not found.holdable, due=due)
    innermost = _library_levels(chain)
    for level in innermost:
        known = wait_codes().get(level.code)
        if known is None:
            continue
        reader, kind = known
        thing = _first(level, reader.type)
        if thing is not None and reader.waits_for(thing, future, kind):
            return Waiting(kind, future, thing, opaque=not reader.holdable)
    for level in innermost:
        special = _SPECIAL.get(level.code)
        if special is not None:
            other = special(level, future)
            if other is not None:
                return other
    return of_future(future)


def relevant(codes: list[CodeType]) -> list[int]:
    """Which levels of a stack of asyncio's and the program's own code say what it waits for.

    Args:
        codes: Of the levels, outermost first.

    Returns:
        Indices; () is for a bare future.
    """
    index = len(codes)
    while index and code_facts(codes[index - 1]).asyncio:
        index -= 1
    known = wait_codes()
    return [i for i in range(index, len(codes)) if codes[i] in known or codes[i] in _SPECIAL]


def _library_levels(chain: Chain) -> list[Level]:
    """The innermost run of asyncio's own levels, outermost of them first."""
    index = len(chain.levels)
    while index and code_facts(chain.levels[index - 1].code).asyncio:
        index -= 1
    return chain.levels[index:]


def _first(level: Level, wanted: type | tuple[type, ...]) -> Any:
    """The first object of that type that the level's frame refers to."""
    for referent in referents(level.owner):
        if issubclass(type(referent), wanted):
            return referent
    return None


def of_future(future: Any, depth: int = 0) -> Waiting:
    """What a bare future stands for: a task, a gather, a shield, or itself."""
    if futures.is_task(future):
        return Waiting("task", future, tasks=[future])
    if issubclass(type(future), futures.GatheringFuture):
        return _gather(future, depth)
    if futures.is_future(future):
        outer = futures.callback_named(future, "shield.<locals>._outer_done_callback")
        inner = cell(outer, "inner") if outer is not None else None
        if futures.is_future(inner) and depth < DEEPEST:
            below = of_future(inner, depth + 1)
            return Waiting(
                "shield", future, tasks=below.tasks, needs=below.needs, opaque=below.opaque
            )
        if futures.callback_named(future, "_chain_future.<locals>._call_check_cancel") is not None:
            return Waiting("executor", future, opaque=True, phrase="a job in another thread")
    return Waiting("future", future, thing=future, opaque=True)


def _gather(future: Any, depth: int) -> Waiting:
    children = attribute(future, "_children")
    children = list(children) if type(children) is list else []
    found = Waiting("gather", future, total=len(children), pending=0, needs="all_or_error")
    found.opaque = not children
    for child in children[:MOST_CHILDREN]:
        if futures.done(child):
            continue
        found.pending = (found.pending or 0) + 1
        if found.pending == 1:
            for callback in futures.callbacks(child):
                # A child of two gathers has the callbacks of both.
                if (
                    type(callback) is FunctionType
                    and callback.__qualname__ == _GATHER_CALLBACK
                    and cell(callback, "outer") is future
                    and cell(callback, "return_exceptions") is True
                ):
                    found.needs = "all"
        _add(found, child, depth)
    return found


def _add(found: Waiting, child: Any, depth: int) -> None:
    """Count one pending child of a gather or wait among what is waited for."""
    if futures.is_task(child):
        found.tasks.append(child)
        return
    below = of_future(child, depth + 1) if depth < DEEPEST else None
    if below is None or below.opaque or not below.tasks:
        found.opaque = True
    elif len(below.tasks) == 1 or below.needs == found.needs:
        found.tasks += below.tasks
    else:
        found.opaque = True  # an "all" inside an "any": more than this model can say


def _asyncio_wait(level: Level, future: Any) -> Waiting | None:
    """``asyncio.wait``: the set of futures is a local of ``_wait``."""
    held = referents(level.owner)
    group = next(
        (item for item in held if type(item) in {set, frozenset, list} and _all_futures(item)), None
    )
    if group is None:
        return None
    when = next((item for item in held if type(item) is str and item in _NEEDS), None)
    found = Waiting("wait", future, total=len(group), pending=0)
    found.needs = _NEEDS.get(when, "any") if when else "any"
    found.due = due_of(held)
    for child in list(group):
        if not futures.done(child):
            found.pending = (found.pending or 0) + 1
            _add(found, child, 0)
    return found


_NEEDS: dict[str, Needs] = {
    asyncio.ALL_COMPLETED: "all",
    asyncio.FIRST_EXCEPTION: "all_or_error",
    asyncio.FIRST_COMPLETED: "any",
}


def _all_futures(group: Any) -> bool:
    items = list(group)
    return bool(items) and all(futures.is_future(item) for item in items[:100])


def _wait_for(level: Level, future: Any) -> Waiting | None:
    """``asyncio.wait_for`` before 3.12: a task of its own, and a waiter with a timer."""
    held = referents(level.owner)
    inner = next((item for item in held if futures.is_future(item) and item is not future), None)
    if inner is None:
        return None
    below = of_future(inner)
    return Waiting("wait_for", future, tasks=below.tasks, opaque=below.opaque, due=due_of(held))


def _task_group(level: Level, future: Any) -> Waiting | None:
    """``TaskGroup.__aexit__``: waits until every child has ended."""
    group = _first(level, asyncio.TaskGroup) if hasattr(asyncio, "TaskGroup") else None
    children = attribute(group, "_tasks") if group is not None else None
    if type(children) is not set:
        return None
    tasks = [task for task in list(children) if not futures.done(task)]
    return Waiting(
        "task_group",
        future,
        tasks=[task for task in tasks if futures.is_task(task)],
        needs="all" if attribute(group, "_errors") else "all_or_error",
        pending=len(tasks),
        opaque=not tasks,
    )


def _sleep(level: Level, future: Any) -> Waiting | None:
    held = referents(level.owner)
    for item in held:  # thousands of tasks sleep: the usual handle is found without asking all
        if type(item) is asyncio.TimerHandle:
            return Waiting("timer", future, opaque=True, due=timer(item))
    return Waiting("timer", future, opaque=True, due=due_of(held))


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
    if kind in _NO_TIMERS:
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
_NO_TIMERS = {
    *(type(None), bool, int, float, str, bytes, dict, list, tuple, set, frozenset, type),
    *(CodeType, FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType),
    *(types.CoroutineType, types.GeneratorType, types.CellType, futures.CFuture, futures.CTask),
}
"""What a frame refers to most often."""


def loop_time(loop: Any) -> float:
    """A loop's clock. asyncio's is ``time.monotonic``; uvloop's is its own."""
    if type(loop) in _MONOTONIC:
        return time.monotonic()
    if uvloop.is_loop(loop):
        return float(loop.time())
    return time.monotonic()


_MONOTONIC = {asyncio.SelectorEventLoop, getattr(asyncio, "ProactorEventLoop", None)}


def timer_in(manager: Any) -> float | None:
    """When a timer that a context manager keeps will fire (a timeout in force).

    Works for ``asyncio.timeout``, async_timeout, anyio's cancel scopes and any
    hand-written manager that holds its timer handle in an attribute.
    """
    held = [item for item in gc.get_referents(manager) if type(item) is not type]
    held += list(instance_dict(manager).values())
    return due_of(held[:64])


def _phrase(kind: str, text: str) -> Callable[[Level, Any], Waiting]:
    def found(_level: Level, future: Any) -> Waiting:
        return Waiting(kind, future, opaque=True, phrase=text)

    return found


def _codes(owner: Any, *names: str) -> list[CodeType]:
    if isinstance(owner, type):
        return [item for item in (method_code(owner, name) for name in names) if item is not None]
    items = [getattr(owner, name, None) for name in names]
    return [item.__code__ for item in items if type(item) is FunctionType]


def _special() -> dict[CodeType, Callable[[Level, Any], Waiting | None]]:
    """Asyncio's own functions that are not primitives but can be waited in."""
    from asyncio import base_events, base_subprocess, selector_events, streams  # noqa: PLC0415

    found: dict[CodeType, Callable[[Level, Any], Waiting | None]] = {}

    def register(reader: Callable[[Level, Any], Waiting | None], codes: list[CodeType]) -> None:
        found.update(dict.fromkeys(codes, reader))

    register(_asyncio_wait, _codes(asyncio.tasks, "_wait"))
    register(_wait_for, _codes(asyncio.tasks, "wait_for"))
    register(_sleep, _codes(asyncio.tasks, "sleep"))
    if hasattr(asyncio, "TaskGroup"):
        register(_task_group, _codes(asyncio.TaskGroup, "__aexit__", "_aexit"))
    register(
        _phrase("stream", "data from a stream"), _codes(asyncio.StreamReader, "_wait_for_data")
    )
    register(
        _phrase("stream", "a stream to take data"),
        _codes(streams.FlowControlMixin, "_drain_helper"),
    )
    register(
        _phrase("subprocess", "a child process to end"),
        _codes(base_subprocess.BaseSubprocessTransport, "_wait"),
    )
    register(
        _phrase("server", "connections (serves for ever)"),
        _codes(base_events.Server, "serve_forever"),
    )
    register(
        _phrase("server", "its connections to close"), _codes(base_events.Server, "wait_closed")
    )
    sockets = selector_events.BaseSelectorEventLoop
    names = [name for name in vars(sockets) if name.startswith("sock_")]
    register(_phrase("socket", "a socket"), _codes(sockets, *names))
    return found


_SPECIAL = _special()


def describe(thing: Any) -> str:
    """Type name of a primitive as people call it."""
    if type(thing) in futures.FUTURES:
        return "Future"
    reader = reader_for(thing)
    return type_name(thing) if reader is None else reader.called(thing)
