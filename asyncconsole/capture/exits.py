"""Which context managers a suspended frame has entered and not left yet.

Nothing is patched and nothing of the program runs: the exits lie on the frame's value
stack, where the garbage collector sees them, and the bytecode says which of them are
in force (``_stack.py``). Whatever does not fit together in exactly one way is answered
with None: a false holder is worse than none.

Capture in the loop's own thread on a free-threaded build; elsewhere from any thread.
"""

from __future__ import annotations

import logging
import sys
import weakref
from collections.abc import Callable
from functools import cache
from gc import get_referents
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any, Final, NamedTuple

from asyncconsole.capture._place import View, behind_frame_head, behind_head, manager_of, place
from asyncconsole.capture._stack import EXIT_NAMES, Point, Shape, StrangeCodeError
from asyncconsole.capture.awaited import AWAITED, frame_of

log = logging.getLogger("asyncconsole")

CACHED: Final = 4096
"""Code objects whose analysis is remembered."""

_OF_FRAME: Final = sys.version_info < (3, 11)
"""Whether frames and not their owners show their objects to the collector."""
_KNOWN: Final = sys.implementation.name == "cpython" and (3, 10) <= sys.version_info < (3, 16)
_UNKNOWN: Final = Shape({}, frozenset())

_shapes: dict[int, tuple[weakref.ref[CodeType], Shape | None]] = {}
"""By the code object's id: equal code objects must not be taken for each other."""


class Exit(NamedTuple):
    """One exit in force.

    Attributes:
        manager: The context manager it belongs to.
        line: Line of the with-item that entered it.
        is_async: True for ``__aexit__``, False for ``__exit__``.
        span: ``(line, end_line, column, end_column)`` of the with-item's expression in
            the source, columns in bytes of UTF-8; None where not known (3.10).
    """

    manager: Any
    line: int
    is_async: bool
    span: tuple[int, int, int, int] | None


def exits_in_force(owner: Any) -> list[Exit] | None:
    """The context managers that a suspended frame is inside of, outermost first.

    Args:
        owner: A coroutine, generator or async generator.

    Returns:
        None when it can't be read: it runs, it has ended, the interpreter is not known,
        or anything does not fit. A manager whose exit can't be told (a partial, a mock, a
        static method) is left out.
    """
    try:
        found = _read(owner, loops=False)
    except Exception:
        return None
    if found is None:
        return None
    point, objects, picks = found
    exits = []
    for index, item in enumerate(point.exits):
        exit_, above = picks[2 * index : 2 * index + 2]
        if item.owner >= 0 and above < 0:
            continue  # what a descriptor made; there is no telling whose it is
        keeper = None if item.owner < 0 else objects[above]
        manager = manager_of(objects[exit_], keeper, EXIT_NAMES[item.is_async])
        if manager is not None:
            exits.append(Exit(manager, item.line, item.is_async, item.span))
    return exits


def async_iterators(owner: Any) -> list[Any]:
    """What the ``async for`` loops that a suspended frame is inside of go over.

    Loops in the body and while the next item is awaited; outermost first. Empty when
    the frame can't be read.
    """
    try:
        found = _read(owner, loops=True)
    except Exception:
        return []
    if found is None:
        return []
    point, objects, picks = found
    return [objects[pick] for pick in picks[2 * len(point.exits) :]]


def bare(code: CodeType) -> bool:
    """True when nothing can ever be in force in that code: no `with`, no ``async for``."""
    return _shape(code) is None


def empty(code: CodeType, at: int) -> bool:
    """True when nothing is in force in that code where it is suspended at ``at``."""
    shape = _shape(code)
    if shape is None:
        return True
    point = shape.points.get(at)
    if point is None:
        return at in shape.begin
    return not point.exits and not point.iterators


class Item(NamedTuple):
    """A with-item that code has entered; see `Exit`."""

    line: int
    span: tuple[int, int, int, int] | None


def entered(code: CodeType, at: int) -> list[Item]:
    """The with-items that code is inside of where it awaits, outermost first.

    Args:
        code: It may run: nothing but the code is looked at.
        at: ``f_lasti`` of its frame, suspended or in the midst of the call.
    """
    shape = _shape(code)
    if shape is None:
        return []
    # What awaits stands some steps before what suspends: SEND and its cache, YIELD_VALUE.
    steps = range(at, at + _REACH, 2)
    point = next((shape.points[step] for step in steps if step in shape.points), None)
    return [Item(exit_.line, exit_.span) for exit_ in point.exits] if point is not None else []


_REACH: Final = 10


def referents(owner: Any) -> list[Any]:
    """The objects that a frame's owner keeps: locals first, then what lies on its stack."""
    frame = frame_of(owner) if _OF_FRAME else None
    return get_referents(owner if frame is None else frame)


class Names(NamedTuple):
    """What the names in a suspended frame can mean.

    Attributes:
        globals: Of its module.
        objects: What the frame refers to.
        start: Index of its first local there.
        slack: Objects in front of the locals that may be there or not.
    """

    globals: dict[str, Any]
    objects: list[Any]
    start: int
    slack: int


_Looked = tuple[list[Any], tuple[int, int], Any]
"""What a frame refers to, where the locals begin there, and what it awaits."""

_Found = tuple[Point, list[Any], tuple[int, ...]]

_IDLE: Final[_Found] = (Point((), awaiting=False, handling=False, least=0, most=0), [], ())
"""A frame with nothing in force."""


def _read(owner: Any, *, loops: bool) -> _Found | None:
    """A frame's suspension, what it refers to, and where what matters lies there."""
    frame = frame_of(owner)
    # A frame that runs has a caller. (An async generator is "running", as its attribute
    # has it, from an asend() to the next yield, suspended or not.)
    if frame is None or frame.f_back is not None:
        return None
    code = frame.f_code
    shape = _shape(code)
    if shape is None:
        return _IDLE
    at = frame.f_lasti
    point = shape.points.get(at)
    if point is None:
        return _IDLE if at in shape.begin else None
    if not (point.iterators if loops else point.exits):
        return point, [], ()
    looked = _look(owner, frame, at)
    if looked is None:
        return None
    objects, head, awaited = looked
    picks = place(point, View(objects, *head, awaited, trailed=not _OF_FRAME))
    return None if picks is None else (point, objects, picks)


def _look(owner: Any, frame: FrameType, at: int) -> _Looked | None:
    """What a frame suspended at ``at`` refers to; None when it moved or is strange."""
    kind = type(owner)
    seen, awaited, objects = _LOOKS[kind](owner, frame)
    moved = frame.f_back is not None or AWAITED[kind](owner, frame) is not awaited
    moved = moved or frame.f_lasti != at
    if seen != at or moved:
        return None
    code = frame.f_code
    if _OF_FRAME:
        head = behind_frame_head(objects, code, frame.f_trace)
    else:
        head = behind_head(objects, code)
    return None if head is None else (objects, head, awaited)


def suspended_at(owner: Any) -> int | None:
    """``f_lasti`` of a suspended frame; None when it runs or has ended."""
    frame = frame_of(owner)
    return None if frame is None or frame.f_back is not None else frame.f_lasti


def names_at(owner: Any, at: int) -> Names | None:
    """Where the names of a frame suspended at ``at`` are to be found."""
    frame = frame_of(owner)
    looked = None if frame is None else _look(owner, frame, at)
    if frame is None or looked is None:
        return None
    objects, (start, slack), _ = looked
    return Names(frame.f_globals, objects, start, slack)


# In each of these, no other thread gets its turn between the reads: they are C calls with
# no check for one in between. Only garbage collection (before 3.12) can come between
# them and run other code, hence the second look that `_look` takes. Why an executing frame
# is not asked for what it awaits: see `awaited`.


def _look_at_coroutine(owner: Any, frame: FrameType) -> _Seen:
    awaited = owner.cr_await if frame.f_back is None else None
    return frame.f_lasti, awaited, get_referents(frame if _OF_FRAME else owner)


def _look_at_generator(owner: Any, frame: FrameType) -> _Seen:
    awaited = owner.gi_yieldfrom if frame.f_back is None else None
    return frame.f_lasti, awaited, get_referents(frame if _OF_FRAME else owner)


def _look_at_async_generator(owner: Any, frame: FrameType) -> _Seen:
    awaited = owner.ag_await if frame.f_back is None else None
    return frame.f_lasti, awaited, get_referents(frame if _OF_FRAME else owner)


_Seen = tuple[int, Any, list[Any]]

_LOOKS: Final[dict[type, Callable[[Any, FrameType], _Seen]]] = {
    CoroutineType: _look_at_coroutine,
    GeneratorType: _look_at_generator,
    AsyncGeneratorType: _look_at_async_generator,
}


def _shape(code: CodeType) -> Shape | None:
    """What is known of a code object; None when nothing can ever be in force in it."""
    known = _shapes.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    shape = _analyse(code)
    if len(_shapes) >= CACHED:
        _shapes.pop(next(iter(_shapes)), None)
    _shapes[id(code)] = (weakref.ref(code), shape)
    return shape


def _analyse(code: CodeType) -> Shape | None:
    if not _KNOWN:
        return _UNKNOWN
    if _marks().isdisjoint(code.co_code[::2]):
        return None
    try:
        return _reader()(code)
    except StrangeCodeError:
        return _UNKNOWN
    except Exception:
        log.exception("The bytecode of %s could not be read", code.co_name)
        return _UNKNOWN


@cache
def _marks() -> frozenset[int]:
    """Opcodes without which a code has neither exits nor loops of interest."""
    import opcode  # noqa: PLC0415  lazily: the host may never need it

    return frozenset({opcode.opmap["WITH_EXCEPT_START"], opcode.opmap["GET_AITER"]})


@cache
def _reader() -> Callable[[CodeType], Shape]:
    """The analysis for this interpreter."""
    if sys.version_info >= (3, 14):
        from asyncconsole.capture._cpython_314 import analyse  # noqa: PLC0415  only one fits
    elif sys.version_info >= (3, 11):
        from asyncconsole.capture._cpython_311 import analyse  # noqa: PLC0415  only one fits
    else:
        from asyncconsole.capture._cpython_310 import analyse  # noqa: PLC0415  only one fits
    return analyse
