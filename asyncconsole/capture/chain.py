"""From a task to the innermost thing it awaits, level by level.

Coroutines, generator-based coroutines, async generators and the C objects between
them (``asend``, ``athrow``, ``anext``, coroutine wrappers), for which only the
garbage collector knows what they hold.
"""

from __future__ import annotations

import gc
import types
from dataclasses import dataclass
from types import CodeType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.objects import attribute, module_of, space

MOST = 20_000
"""Levels after which a chain is taken to be broken."""


@dataclass(slots=True)
class Level:
    """One suspended frame: its owner (the coroutine), code and line."""

    owner: Any
    code: CodeType
    line: int
    kind: str


@dataclass(slots=True)
class Chain:
    """Levels from outermost to innermost, and the object the innermost awaits.

    Attributes:
        levels: Suspended frames.
        tail: What the last level awaits: a future, or an object that can't be
            looked into; None when the innermost frame runs or has not started.
        running: True when a level executes right now and hides what is below.
    """

    levels: list[Level]
    tail: Any = None
    running: bool = False


_COROUTINE = types.CoroutineType
_GENERATOR = types.GeneratorType
_ASYNC_GENERATOR = types.AsyncGeneratorType


async def _sample() -> None:
    """Only to name the C type that ``coroutine.__await__()`` gives."""


def _named_types() -> tuple[type, type, tuple[type, ...]]:
    """Types of ``future.__await__()``, of a coroutine wrapper, of asend and athrow."""
    sample = _sample()
    wrapper = type(sample.__await__())
    sample.close()

    async def generator() -> Any:
        yield

    agen = generator()
    send, throw = agen.asend(None), agen.athrow(GeneratorExit)
    kinds = (type(send), type(throw))
    for step in (send, throw):
        close = getattr(step, "close", None)
        if close is not None:
            close()
    future_iter = type(futures.CFuture.__await__(futures.CFuture(loop=_NoLoop())))
    return future_iter, wrapper, kinds


class _NoLoop:
    """Just enough of a loop to create a future that nobody uses."""

    def get_debug(self) -> bool:
        return False


_FUTURE_ITER, _WRAPPER, _ASYNC_STEPS = _named_types()
_GENERATOR_WRAPPER: Any = types._GeneratorWrapper  # type: ignore[attr-defined]  # noqa: SLF001


def walk(coroutine: Any) -> Chain:
    """The await chain below ``coroutine``; never raises on a moving target."""
    chain = Chain([])
    step = coroutine
    for _ in range(MOST):
        kind = type(step)
        if kind is _COROUTINE:
            frame, below, running = step.cr_frame, step.cr_await, step.cr_running
            name = "coroutine"
        elif kind is _GENERATOR:
            frame, below, running = step.gi_frame, step.gi_yieldfrom, step.gi_running
            name = "generator"
        elif kind is _ASYNC_GENERATOR:
            frame, below, running = step.ag_frame, step.ag_await, step.ag_running
            name = "async_generator"
            running = running and below is None
        elif (compiled := _compiled(step)) is not None:
            frame, below, running = compiled
            name = "coroutine"
        else:
            inner = _through(step)
            if inner is None:
                chain.tail = step
                break
            step = inner
            continue
        if frame is None:
            break
        chain.levels.append(Level(step, frame.f_code, _line(frame), name))
        if below is None:
            chain.running = bool(running)
            break
        step = below
    return chain


def _line(frame: Any) -> int:
    """Line of a frame; a function's first line where compiled code knows no better."""
    line = frame.f_lineno or 0
    return line if line > 0 else max(0, frame.f_code.co_firstlineno)


def _compiled(step: Any) -> tuple[Any, Any, bool] | None:
    """Frame, what it awaits, and whether it runs, of a coroutine compiled by Cython.

    The frame is one that Cython makes on request, only to show code and name.
    """
    own = space(type(step))
    for frame, below, running in _FACTS:
        # Only C code can give a class a descriptor of this type.
        if type(own.get(frame)) is types.GetSetDescriptorType:
            found = attribute(step, frame)
            return found, attribute(step, below), attribute(step, running) is True
    return None


_CYTHON = "_cython_"
_FACTS = (
    ("cr_frame", "cr_await", "cr_running"),
    ("gi_frame", "gi_yieldfrom", "gi_running"),
    ("ag_frame", "ag_await", "ag_running"),
)


def _through(step: Any) -> Any:
    """What a C-level awaitable passes on to, or None when it ends the chain."""
    kind = type(step)
    if kind is _FUTURE_ITER:
        wanted: tuple[type, ...] = futures.FUTURES
    elif kind is _WRAPPER:
        wanted = (_COROUTINE, _GENERATOR)
    elif any(kind is step for step in _ASYNC_STEPS):
        wanted = (_ASYNC_GENERATOR,)
    elif kind is not type(None) and module_of(kind) == "builtins":
        # anext_awaitable, ...: C types that have no name of their own in Python
        wanted = (_COROUTINE, _GENERATOR, _ASYNC_GENERATOR, *_ASYNC_STEPS, _WRAPPER)
    elif module_of(kind).startswith(_CYTHON):
        return next((i for i in gc.get_referents(step) if _compiled(i) is not None), None)
    elif kind is _GENERATOR_WRAPPER:  # @types.coroutine around what only acts like a generator
        return attribute(step, "_GeneratorWrapper__wrapped")
    else:
        # What repl/window.py awaits its statements through; nobody else has such a slot.
        inner = attribute(step, "asyncconsole_awaits")
        return inner if type(inner) is _COROUTINE else None
    for referent in gc.get_referents(step):
        if issubclass(type(referent), wanted):
            return referent
    return None
