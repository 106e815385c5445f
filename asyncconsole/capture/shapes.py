"""What follows from where a task's frames stand, found out once for all that stand alike.

A hundred thousand tasks stand in a few places. A `Shape` is one way to stand: the code
and ``f_lasti`` of each level. Its frames as plain data, whether something in it cancels or
releases, and how its wait is understood are the same for every task of that shape.
"""

from __future__ import annotations

import contextlib
import types
import weakref
from types import CodeType
from typing import Any

from asyncconsole.capture.code import CodeFacts, code_facts, short
from asyncconsole.capture.objects import Types, attribute, space
from asyncconsole.model import Frame

MOST_SPOTS = 8192
"""Places that are remembered."""

MOST_SHAPES = 4096
"""Stacks that are remembered."""

DEEPEST = 64
"""Levels above which a stack is not remembered; its places are."""

Key = tuple[int, ...]
"""``id()`` of the code and ``f_lasti`` of each level, outermost first."""


class Spot:
    """A place where a frame can be suspended.

    Attributes:
        code: Its code, weakly.
        at: ``f_lasti``.
        line: Source line; 0 when unknown.
        frame: The same as plain data.
        facts: What is known of the code.
    """

    __slots__ = ("at", "code", "facts", "frame", "line")

    def __init__(self, owner: Any, code: CodeType, at: int) -> None:
        facts = code_facts(code)
        self.code = weakref.ref(code, _forget)
        self.at = at
        self.line = line_at(code, at)
        self.facts: CodeFacts = facts
        function = facts.function or short(owner.__qualname__)
        self.frame = Frame(code.co_filename, self.line, function, facts.own, kind_of(owner))


UNPLANNED = object()
"""Of a shape's plan that nobody has asked for yet."""


class Shape:
    """One way to stand.

    Attributes:
        spots: Outermost first.
        frames: The same as plain data; shared by all tasks of this shape.
        where: Index of the innermost own frame, or -1.
        plain: True when all of it is the program's own code or asyncio's.
        cancels: Something in it calls what is named ``cancel``.
        releases: Something in it releases what may be a lock.
        idle: True when nothing can be held there; None until somebody asks.
        plan: How its wait is understood, see `waits.clues`; `UNPLANNED` until somebody asks.
        catches: What catches a cancellation there, see `catches.catcher`; likewise.
    """

    __slots__ = (
        "cancels",
        "catches",
        "frames",
        "idle",
        "plain",
        "plan",
        "releases",
        "spots",
        "where",
    )

    def __init__(self, spots: tuple[Spot, ...]) -> None:
        self.spots = spots
        self.frames = tuple(spot.frame for spot in spots)
        own = [index for index, spot in enumerate(spots) if spot.facts.own]
        self.where = own[-1] if own else -1
        self.plain = all(spot.facts.own or spot.facts.asyncio for spot in spots)
        self.cancels = any(spot.facts.cancels for spot in spots)
        self.releases = any(spot.facts.releases for spot in spots)
        self.idle: bool | None = None
        self.plan: Any = UNPLANNED
        self.catches: Any = UNPLANNED


_spots: dict[tuple[int, int], Spot] = {}
_shapes: dict[Key, Shape] = {}


def _forget(_code: Any) -> None:
    """A code object has gone, and another may get its ``id``."""
    _shapes.clear()
    _spots.clear()


def shape_of(key: Key, owners: list[Any]) -> Shape:
    """The shape of a stack.

    Args:
        key: As read.
        owners: The coroutine or generator of each level.
    """
    known = _shapes.get(key)
    if known is not None:
        return known
    spots = tuple(
        _spot(owner, key[2 * index], key[2 * index + 1]) for index, owner in enumerate(owners)
    )
    shape = Shape(spots)
    if len(owners) <= DEEPEST:
        if len(_shapes) >= MOST_SHAPES:
            _drop_oldest(_shapes)
        _shapes[key] = shape
    return shape


def _spot(owner: Any, code: int, at: int) -> Spot:
    known = _spots.get((code, at))
    if known is None:
        known = Spot(owner, code_of(owner), at)
        if len(_spots) >= MOST_SPOTS:
            _drop_oldest(_spots)
        _spots[code, at] = known
    return known


def _drop_oldest(memory: dict[Any, Any]) -> None:
    with contextlib.suppress(RuntimeError, StopIteration):  # another thread is at it
        memory.pop(next(iter(memory)), None)


def code_of(owner: Any) -> CodeType:
    """The code of a coroutine, generator or async generator."""
    kind = type(owner)
    if kind is types.CoroutineType:
        return owner.cr_code  # type: ignore[no-any-return]  # what the slot is
    if kind is types.GeneratorType:
        return owner.gi_code  # type: ignore[no-any-return]  # same
    if kind is types.AsyncGeneratorType:
        return owner.ag_code  # type: ignore[no-any-return]  # same
    facts = compiled(owner)
    assert facts is not None  # nothing else is a level
    return facts[0].f_code  # type: ignore[no-any-return]  # what a frame has


def compiled(step: Any) -> tuple[Any, Any, bool] | None:
    """Frame, what it awaits, and whether it runs, of a coroutine compiled by Cython.

    The frame is one that Cython makes on request, only to show code and name.
    """
    if type(step) in _NATIVE:
        return None  # CPython's own may be asked only as `awaited` does
    own = space(type(step))
    for frame, below, running in _FACTS:
        # Only C code can give a class a descriptor of this type.
        if type(own.get(frame)) is types.GetSetDescriptorType:
            found = attribute(step, frame)
            return found, attribute(step, below), attribute(step, running) is True
    return None


_NATIVE = Types(types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)
_FACTS = (
    ("cr_frame", "cr_await", "cr_running"),
    ("gi_frame", "gi_yieldfrom", "gi_running"),
    ("ag_frame", "ag_await", "ag_running"),
)


def kind_of(owner: Any) -> str:
    """What a level is called: ``coroutine``, ``generator`` or ``async_generator``."""
    kind = type(owner)
    if kind is types.AsyncGeneratorType:
        return "async_generator"
    return "generator" if kind is types.GeneratorType else "coroutine"


def line_at(code: CodeType, at: int) -> int:
    """The source line of an instruction: read from the code, since the frame may move on."""
    for start, end, line in code.co_lines():
        if start <= at < end:
            return line or 0
    return code.co_firstlineno
