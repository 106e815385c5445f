"""From a task to the innermost thing it awaits, level by level.

Coroutines, generator-based coroutines, async generators and the C objects between
them (``asend``, ``athrow``, ``anext``, coroutine wrappers), for which only the
garbage collector knows what they hold.
"""

from __future__ import annotations

import gc
import types
from types import CodeType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.objects import attribute, module_of
from asyncconsole.capture.shapes import Key, Shape, code_of, compiled, shape_of

MOST = 20_000
"""Levels after which a chain is taken to be broken."""


class Level:
    """One suspended frame: its owner (the coroutine), code and line."""

    __slots__ = ("code", "kind", "line", "owner")

    def __init__(self, owner: Any, code: CodeType, line: int, kind: str) -> None:
        self.owner = owner
        self.code = code
        self.line = line
        self.kind = kind


class Chain:
    """Levels from outermost to innermost, and the object the innermost awaits.

    Args:
        levels: When they are known already.

    Attributes:
        owners: The coroutine or generator of each level.
        key: Where each level stands, as `shapes` wants it.
        tail: What the last level awaits: a future, or an object that can't be
            looked into; None when the innermost frame runs or has not started.
        running: True when a level executes right now and hides what is below.
    """

    __slots__ = ("_levels", "_shape", "key", "owners", "running", "tail")

    def __init__(self, levels: list[Level] | None = None) -> None:
        self.owners: list[Any] = []
        self.key: Key = ()
        self.tail: Any = None
        self.running = False
        self._levels = levels
        self._shape: Shape | None = None

    @property
    def shape(self) -> Shape:
        """How it stands."""
        if self._shape is None:
            self._shape = shape_of(self.key, self.owners)
        return self._shape

    @property
    def levels(self) -> list[Level]:
        """Suspended frames."""
        if self._levels is None:
            self._levels = [
                Level(owner, code_of(owner), spot.line, spot.frame.kind)
                for owner, spot in zip(self.owners, self.shape.spots, strict=True)
            ]
        return self._levels


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
    """The await chain below ``coroutine``; never raises on a moving target.

    A frame that executes is not asked for what it awaits, for the reasons in `awaited`; in
    its words, for they cost a third of what a call would.
    """
    chain = Chain()
    owners = chain.owners
    key: list[int] = []
    step = coroutine
    for _ in range(MOST):
        kind = type(step)
        if kind is _COROUTINE:
            frame, running = step.cr_frame, step.cr_running
            below = step.cr_await if not running else None
        elif kind is _GENERATOR:
            frame, running = step.gi_frame, step.gi_running
            below = step.gi_yieldfrom if not running else None
        elif kind is _ASYNC_GENERATOR:
            # Its ag_running is no help: also while its asend() is suspended.
            frame = step.ag_frame
            below = step.ag_await if frame is not None and frame.f_back is None else None
            running = below is None and step.ag_running
        elif kind is _FUTURE_ITER:  # nearly every chain ends in one
            inner = _through(step)
            chain.tail = step if inner is None else inner
            break
        elif (facts := compiled(step)) is not None:
            frame, below, running = facts
        else:
            inner = _through(step)
            if inner is None:
                chain.tail = step
                break
            step = inner
            continue
        if frame is None:
            break
        owners.append(step)
        key.append(id(frame.f_code))
        key.append(frame.f_lasti)
        if below is None:
            chain.running = bool(running)
            break
        step = below
    chain.key = tuple(key)
    return chain


_CYTHON = "_cython_"


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
        return next((i for i in gc.get_referents(step) if compiled(i) is not None), None)
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
