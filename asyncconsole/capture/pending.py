"""What a loop has still to do, and who may set what a thread waits for."""

from __future__ import annotations

import asyncio
from asyncio import base_events as _base
from asyncio import runners as _runners
from collections.abc import Iterator
from itertools import islice
from types import CellType, CodeType, CoroutineType, FrameType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import chain, futures
from asyncconsole.capture.code import is_own
from asyncconsole.capture.drafts import members
from asyncconsole.capture.exits import referents
from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.names import own_class
from asyncconsole.capture.objects import Types, attribute, cell, contents, instance_dict
from asyncconsole.model.blocked import Source

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program

MOST = 10_000
"""Callbacks of one loop that are looked at."""

MOST_TASKS = 2_000
"""Tasks that are searched for what a thread waits for."""

MOST_FRAMES = 50
"""Frames of one thread that are searched for it."""

_METHODS = Types(MethodType, type([].append))
_STARTS = "run_coroutine_threadsafe.<locals>.callback"


def _running() -> dict[CodeType, str]:
    """Functions that run a loop until a task has ended, and the local that has the task."""
    found = {_base.BaseEventLoop.run_until_complete.__code__: "future"}
    runner = getattr(_runners, "Runner", None)
    code = getattr(getattr(runner, "run", None), "__code__", None)
    if code is not None:
        found[code] = "task"
    return found


RUNS = _running()


def handles(loop: Any) -> list[Any]:
    """A copy of the handles whose callbacks a loop runs in its next turn."""
    if uvloop.is_loop(loop):
        return uvloop.ready(loop)
    ready = attribute(loop, "_ready")
    for _ in range(3):
        try:
            return list(islice(ready, MOST)) if ready is not None else []
        except RuntimeError:  # it changed while it was copied
            continue
    return []


def callback(handle: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a handle calls, and with what."""
    if isinstance(handle, asyncio.Handle):
        arguments = attribute(handle, "_args")
        return attribute(handle, "_callback"), arguments if type(arguments) is tuple else ()
    return uvloop.callback(handle)


def not_started(program: Program) -> dict[int, tuple[int, str]]:
    """Futures whose coroutine a loop has still to start: its number and the coroutine's name.

    ``run_coroutine_threadsafe`` has the loop make the task; until then only a callback in
    its queue knows both. By ``id`` of the future.
    """
    found = {}
    for number, loop in _loops(program):
        for handle in handles(loop):
            function, arguments = callback(handle)
            if type(function) is FunctionType and function.__qualname__ == _STARTS:
                coroutine = cell(function, "coro")
                found[id(cell(function, "future"))] = number, _name(coroutine)
            else:
                for thing in (getattr(function, "__self__", None), *arguments):
                    if type(thing).__module__ == "concurrent.futures._base":
                        found.setdefault(id(thing), (number, ""))
    return found


def _name(coroutine: Any) -> str:
    return coroutine.__qualname__ if type(coroutine) is CoroutineType else ""


def _loops(program: Program) -> list[tuple[int, Any]]:
    facts = [(fact.number, fact.reference()) for fact in program.loops.find()]
    return [(number, loop) for number, loop in facts if loop is not None]


def who_may_act(
    program: Program, thing: Any, waiter: int, frames: dict[int, list[FrameType]]
) -> list[Source]:
    """Tasks, threads and callbacks that refer to a thing of ``threading`` that is waited for.

    One of them may set it. Others may, too: nothing here is certain. Those whose code calls
    what ends such a wait are all there is, if there are any.
    """
    found = list(_who_refers(program, thing, waiter, frames))
    acting = [source for source, acts in found if acts]
    return acting or [source for source, _ in found]


def _who_refers(
    program: Program, thing: Any, waiter: int, frames: dict[int, list[FrameType]]
) -> Iterator[tuple[Source, bool]]:
    """Who can reach a thing, and whether it calls what ends a wait for it."""
    running = {id(futures.current(loop)) for _, loop in _loops(program)}
    for task in program.look().tasks[:MOST_TASKS]:
        if id(task) in running:
            continue
        owners = [one.owner for one in chain.walk(futures.coroutine(task)).levels]
        having = [owner for owner in owners if _level_has(owner, thing)]
        if having:
            source = Source("task", program.tasks.of(task), futures.name(task), certain=False)
            yield source, any(_acts(_code(owner)) for owner in having)
    for number, loop in _loops(program):
        for handle in handles(loop):
            function, arguments = callback(handle)
            things = [function, *arguments]
            if type(function) is FunctionType:
                things += contents(function.__closure__ or ())
            coroutines = [one for one in things if type(one) is CoroutineType]
            if any(
                _has(one, thing) or (one in coroutines and _level_has(one, thing)) for one in things
            ):
                acts = not coroutines or any(_acts(_code(one)) for one in coroutines)
                yield Source("loop", number, certain=False), acts
                break
    for ident, stack in frames.items():
        having = [one for one in stack[:MOST_FRAMES] if frame_has(one, thing)]
        if ident != waiter and having:
            acts = any(_acts(frame.f_code) for frame in having)
            yield Source("thread", ident, certain=False), acts


_ACTING = frozenset(
    {
        *("set", "notify", "notify_all", "release", "put", "put_nowait", "get", "get_nowait"),
        *("task_done", "wait"),
    }
)
"""What ends somebody's wait."""


def _acts(code: CodeType | None) -> bool:
    """True when code calls something that may end a wait of another thread."""
    return code is not None and not _ACTING.isdisjoint(code.co_names)


def task_has(task: Any, thing: Any) -> bool:
    """True when the code that a task is suspended in can reach a thing."""
    levels = chain.walk(futures.coroutine(task)).levels
    return any(_level_has(level.owner, thing) for level in levels)


def _level_has(owner: Any, thing: Any) -> bool:
    """True when the code of a coroutine can reach a thing."""
    held = referents(owner)
    held += contents(tuple(item for item in held if type(item) is CellType))
    return any(_has(item, thing) for item in held) or _global(_code(owner), owner, thing)


def _code(owner: Any) -> CodeType | None:
    for name in ("cr_code", "gi_code", "ag_code"):
        code = getattr(owner, name, None)
        if type(code) is CodeType:
            return code
    return None


def _global(code: CodeType | None, owner: Any, thing: Any) -> bool:
    frame = next(
        (f for name in ("cr_frame", "gi_frame", "ag_frame") if (f := getattr(owner, name, None))),
        None,
    )
    return code is not None and frame is not None and _names(code, frame.f_globals, thing)


def _names(code: CodeType, space: Any, thing: Any) -> bool:
    """True when code names a global that is the thing or has it."""
    return any(_has(space[name], thing) for name in code.co_names if name in space)


def _has(item: Any, thing: Any) -> bool:
    """True when an object is the thing, or has it directly."""
    if item is thing:
        return True
    if type(item) in _METHODS:
        return item.__self__ is thing
    if own_class(type(item)):
        return any(value is thing for value in list(instance_dict(item).values()))
    return any(value is thing for value in members(item))


def frame_has(frame: FrameType, thing: Any) -> bool:
    """True when the code of a frame that executes can reach a thing."""
    if not is_own(frame.f_code.co_filename):
        return False
    return any(_has(value, thing) for value in list(frame.f_locals.values())) or _names(
        frame.f_code, frame.f_globals, thing
    )
