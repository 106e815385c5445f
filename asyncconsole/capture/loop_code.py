"""What a suspended task can still come to, as far as its code tells: loops that have no end."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from asyncconsole.capture._dataflow import entries
from asyncconsole.capture.chain import Chain
from asyncconsole.capture.code import code_facts
from asyncconsole.capture.exits import suspended_at

CACHED = 4096
"""Code objects whose ways are remembered."""

_RETURNS = frozenset({"RETURN_VALUE", "RETURN_CONST"})
_ENDS = _RETURNS | {"RAISE_VARARGS", "RERAISE", "CLEANUP_THROW"}
_ALWAYS = frozenset(
    {"JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}
)
"""Instructions that never go on to the next one."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a code can go without an exception.

    Attributes:
        after: By offset of an instruction: those that can follow it.
        over: The same where each `for` is over at its next turn.
        raises: The code has a ``raise`` or an ``assert``.
        handlers: First and last offset of what a handler is for, and its own first one.
        returns: Offsets at which the code returns.
        loops: By offset of a suspension: whether it can come to it again.
    """

    after: dict[int, tuple[int, ...]]
    over: dict[int, tuple[int, ...]]
    raises: bool
    handlers: tuple[tuple[int, int, int], ...]
    returns: frozenset[int]
    loops: dict[int, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """A place where code is suspended.

    Attributes:
        ahead: Offsets of the instructions that it can come to.
        failing: Those of them that it can come to when an exception is raised here.
        endless: True when it will never return from here.
    """

    ahead: frozenset[int]
    failing: frozenset[int]
    endless: bool


_known: dict[int, tuple[weakref.ref[CodeType], Ways]] = {}


def endless(chain: Chain) -> bool:
    """True when some level is in an endless loop and none of them raises.

    Only the program's own code counts. A heartbeat is such a task, and a worker that
    takes from a queue for ever.
    """
    inside = False
    for level in chain.levels:
        if not code_facts(level.code).own:
            continue
        ways = _ways(level.code)
        if ways.raises:
            return False
        at = suspended_at(level.owner)
        inside = inside or (at is not None and _again(ways, at))
    return inside


def point(code: CodeType, at: int) -> Point:
    """What code can come to that is suspended at ``at``; exceptions may be raised anywhere."""
    ways = _ways(code)
    plain = _soon(ways, at)
    return Point(
        _reach(ways, (*ways.after.get(at, ()), *_handlers(ways, at))),
        _reach(ways, _handlers(ways, at)),
        at in plain and ways.returns.isdisjoint(plain),
    )


def _handlers(ways: Ways, at: int) -> list[int]:
    return [target for first, last, target in ways.handlers if first <= at < last]


def _reach(ways: Ways, start: Iterable[int]) -> frozenset[int]:
    """All that code can come to from some instructions."""
    return _closure(start, lambda offset: (*ways.after.get(offset, ()), *_handlers(ways, offset)))


def _soon(ways: Ways, at: int) -> frozenset[int]:
    """What it can come to where nothing fails, and each `for` ends."""
    return _closure(ways.over.get(at, ()), lambda offset: ways.over.get(offset, ()))


def _closure(start: Iterable[int], after: Callable[[int], Iterable[int]]) -> frozenset[int]:
    seen: set[int] = set()
    todo = list(start)
    while todo:
        offset = todo.pop()
        if offset not in seen:
            seen.add(offset)
            todo += after(offset)
    return frozenset(seen)


def _again(ways: Ways, at: int) -> bool:
    """Whether the code that is suspended there can be suspended there once more."""
    if at not in ways.loops:
        ways.loops[at] = at in _soon(ways, at)
    return ways.loops[at]


def _ways(code: CodeType) -> Ways:
    """The ways of a code object, from memory when they are known."""
    known = _known.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    found = _read(code)
    if len(_known) >= CACHED:
        _known.pop(next(iter(_known)), None)
    _known[id(code)] = (weakref.ref(code), found)
    return found


def _read(code: CodeType) -> Ways:
    import dis  # noqa: PLC0415 - only for programs that use TaskGroups

    steps = list(dis.get_instructions(code))
    jumps = {
        step.offset: step.argval
        for step in steps
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
    }
    # A `for` ends by itself: at its next turn it is taken to be over. And what is awaited is
    # sent to in a loop of the interpreter's, which is none of the program's.
    ends = {
        step.offset: jumps[step.offset] for step in steps if step.opname in {"FOR_ITER", "SEND"}
    }
    after: dict[int, tuple[int, ...]] = {}
    over: dict[int, tuple[int, ...]] = {}
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        plain: tuple[int, ...] = ()
        if step.opname not in _ENDS | _ALWAYS and following is not None:
            plain = (following.offset,)
        target = jumps.get(step.offset)
        if target is None:
            after[step.offset] = over[step.offset] = plain
        else:
            after[step.offset] = (*plain, target)
            skips = target < step.offset
            over[step.offset] = (*plain, ends.get(target, target) if skips else target)
    names = {step.offset: step.opname for step in steps}
    return Ways(
        after,
        over,
        "RAISE_VARARGS" in names.values(),
        tuple(_covered(code, steps)),
        frozenset(offset for offset, name in names.items() if name in _RETURNS),
    )


def _covered(code: CodeType, steps: list[Any]) -> Iterator[tuple[int, int, int]]:
    """The handlers of a code object; on 3.10 each counts for all of it."""
    if sys.version_info >= (3, 11):
        for entry in entries(code):
            yield entry.start, entry.end, entry.target
    else:
        for step in steps:
            if step.opname.startswith("SETUP_"):
                yield 0, len(code.co_code), step.argval
