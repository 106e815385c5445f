"""Which lock a frame that executes now is taking, or has taken by a ``with``.

``lock.acquire()`` and ``with lock:`` block in C, without a frame of their own. What the
caller's frame was about to call is read from its bytecode, as a plain expression of names,
attributes and constant subscripts; what that means now is looked up without running any
code of the program. An expression with a call in it is not understood.
"""

from __future__ import annotations

import re
import sys
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from asyncconsole.capture._place import of_class
from asyncconsole.capture.objects import LISTS, Types, attribute

if TYPE_CHECKING:
    from types import CodeType, FrameType

Lock: Any = type(threading.Lock())
RLock: Any = type(threading.RLock())
LOCKS = Types(Lock, RLock)

LONGEST = 20_000
"""Bytes of bytecode that are looked at."""

DEEPEST = 50
"""Blocks inside each other that are followed."""

CACHED = 256
"""Code objects whose instructions are remembered."""

MOST_ENTRIES = 5_000
"""Entries of a dictionary that are compared with a key."""

_TOLD: Any = RLock.__repr__
"""In C; nothing else tells who has an RLock."""
_OWNER = re.compile(r"owner=(\d+)")
_UNKNOWN: Any = object()
_TAKING = frozenset({"acquire", "acquire_lock", "__enter__"})
_FILLERS = frozenset({"CACHE", "PRECALL", "NOP", "EXTENDED_ARG", "PUSH_NULL", "NOT_TAKEN"})
_PAIRS = frozenset({"LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"})
_LOCALS = frozenset(
    {
        *("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_DEREF", "LOAD_CLASSDEREF"),
        "LOAD_CLOSURE",
    }
)
_NAMES = frozenset({"LOAD_NAME", "LOAD_GLOBAL"})
_CONSTANTS = frozenset(
    {"LOAD_CONST", "LOAD_SMALL_INT", "LOAD_CONST_IMMORTAL", "LOAD_COMMON_CONSTANT"}
)
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_SUBSCRIPTS = frozenset({"BINARY_SUBSCR", "BINARY_OP"})
_PLAIN = _PAIRS | _LOCALS | _NAMES | _CONSTANTS | _ATTRIBUTES | _SUBSCRIPTS | {"KW_NAMES"}
_CALLS = frozenset({"CALL", "CALL_KW", "CALL_METHOD", "CALL_FUNCTION", "CALL_FUNCTION_KW"})
_KEYWORDS = frozenset({"CALL_KW", "CALL_FUNCTION_KW"})
_ENTERS = frozenset({"BEFORE_WITH", "SETUP_WITH"})


class _Step(NamedTuple):
    """An instruction; ``value`` is what it names."""

    offset: int
    name: str
    arg: int
    value: Any


class _Bound(NamedTuple):
    """A method that was looked up and not made."""

    owner: Any
    name: str


@dataclass(frozen=True, slots=True)
class Taking:
    """A lock that a frame is taking, or has taken.

    Attributes:
        lock: The live lock.
        text: The expression, in words.
        bounded: True when it may give up: a timeout, or it does not wait at all.
        certain: False when the frame may have given it back, or meant another one.
    """

    lock: Any
    text: str
    bounded: bool = False
    certain: bool = True


def locked(lock: Any) -> bool:
    """True when somebody has a lock."""
    if type(lock) is Lock:
        return bool(Lock.locked(lock))
    return owner(lock) is not None


def owner(lock: Any) -> int | None:
    """Ident of the thread that has an RLock; None for other locks, or when nobody has it."""
    if type(lock) is not RLock:
        return None
    found = _OWNER.search(_TOLD(lock))
    return (int(found[1]) or None) if found is not None else None


def taking(frame: FrameType) -> Taking | None:
    """The lock that a frame which executes now is just calling for, or None."""
    steps = _steps(frame.f_code)
    # On 3.11 it may stand at the PRECALL before.
    at = next((i for i, step in enumerate(steps) if step.offset >= frame.f_lasti), None)
    return None if at is None else _taken_at(frame, steps, at)


def taken(frame: FrameType) -> list[Taking]:
    """Locks that a frame which executes now has taken and is likely to hold.

    By a ``with`` whose body it is in, or by an ``acquire()`` further up in its code. That
    is certain only for a ``with`` on what the code never assigns to.
    """
    steps = _steps(frame.f_code)
    found: dict[int, Taking] = {}
    for start in _bodies(frame, steps):
        at = next((i for i in reversed(range(start)) if _enters(steps, i)), None)
        one = _taken_at(frame, steps, at) if at is not None else None
        if one is not None:
            found[id(one.lock)] = Taking(one.lock, one.text, certain=not _assigned(steps, one.text))
    if "acquire" in frame.f_code.co_names:
        for at, step in enumerate(steps):
            if step.offset >= frame.f_lasti:
                break
            if step.name in _CALLS:
                one = _taken_at(frame, steps, at)
                if one is not None and id(one.lock) not in found:
                    found[id(one.lock)] = Taking(one.lock, one.text, certain=False)
    return list(found.values())


def _taken_at(frame: FrameType, steps: tuple[_Step, ...], at: int) -> Taking | None:
    step = steps[at]
    if _enters(steps, at):
        end = at
        if step.name == "CALL":  # 3.14: COPY, LOAD_SPECIAL __exit__, SWAP, SWAP, LOAD_SPECIAL
            end = next((i for i in reversed(range(at)) if steps[i].name == "COPY"), 0)
        value, text = _value(frame, steps, end)
        return Taking(value, text) if type(value) in LOCKS else None
    if step.name not in _CALLS:
        return None
    count = step.arg
    end = at
    bounded = False
    while count and end:  # its arguments: only constants are understood
        end -= 1
        if steps[end].name in _CONSTANTS:
            if type(steps[end].value) is tuple and step.name in _KEYWORDS and count == step.arg:
                continue  # the names of its keyword arguments
            bounded = bounded or steps[end].value is not True
            count -= 1
        elif steps[end].name != "KW_NAMES":
            return None
    if not end or steps[end - 1].name not in _ATTRIBUTES or steps[end - 1].value not in _TAKING:
        return None
    value, text = _value(frame, steps, end)
    if type(value) is _Bound and value.name in _TAKING and type(value.owner) in LOCKS:
        return Taking(value.owner, text, bounded)
    return None


def _enters(steps: tuple[_Step, ...], at: int) -> bool:
    """True when an instruction enters a ``with``."""
    if steps[at].name in _ENTERS:
        return True
    before = steps[at - 1] if at else None
    special = before is not None and before.name == "LOAD_SPECIAL"
    return bool(special and steps[at].name == "CALL" and before and before.arg == 0)


def _value(frame: FrameType, steps: tuple[_Step, ...], end: int) -> tuple[Any, str]:
    """What the expression just before an instruction means, and its words."""
    start = end
    while start and steps[start - 1].name in _PLAIN:
        start -= 1
    stack: list[tuple[Any, str]] = []
    for step in steps[start:end]:
        _push(frame, step, stack)
    return stack[-1] if stack else (_UNKNOWN, "")


def _push(frame: FrameType, step: _Step, stack: list[tuple[Any, str]]) -> None:
    name, value = step.name, step.value
    if name in _PAIRS:
        stack += [(_local(frame, one), one) for one in value]
    elif name in _LOCALS:
        stack.append((_local(frame, value), str(value)))
    elif name in _NAMES:
        stack.append((_named(frame, value), str(value)))
    elif name in _CONSTANTS:
        stack.append((value, repr(value)))
    elif name in _ATTRIBUTES and stack:
        owner, text = stack.pop()
        stack.append((_attribute(owner, value), text if value in _TAKING else f"{text}.{value}"))
    elif name in _SUBSCRIPTS and len(stack) > 1:
        (key, inside), (owner, text) = stack.pop(), stack.pop()
        stack.append((_entry(owner, key), f"{text}[{inside}]"))


def _local(frame: FrameType, name: str) -> Any:
    # Until 3.12 the frame keeps a copy of its variables from then on. It is only asked of
    # frames that are in, or hold, a lock as far as their code tells.
    return frame.f_locals.get(name, _UNKNOWN)


def _named(frame: FrameType, name: str) -> Any:
    if name in frame.f_code.co_varnames:
        return _local(frame, name)
    found = frame.f_globals.get(name, _UNKNOWN)
    if found is _UNKNOWN and frame.f_code.co_name == "<module>":
        return _local(frame, name)
    return found


def _attribute(owner: Any, name: str) -> Any:
    if owner is _UNKNOWN:
        return _UNKNOWN
    if name in _TAKING and type(owner) in LOCKS:
        return _Bound(owner, name)
    if issubclass(type(owner), type):
        found = of_class(owner, name)  # no metaclass is asked
        return _UNKNOWN if found is None else found
    return attribute(owner, name, _UNKNOWN)


def _entry(owner: Any, key: Any) -> Any:
    """``owner[key]`` of plain containers; only plain keys are compared."""
    if type(key) is int and type(owner) in LISTS:
        return owner[key] if -len(owner) <= key < len(owner) else _UNKNOWN
    if not issubclass(type(owner), dict) or type(key) not in _KEYS or len(owner) > MOST_ENTRIES:
        return _UNKNOWN
    for other, value in list(dict.items(owner)):
        if type(other) is type(key) and other == key:
            return value
    return _UNKNOWN


_KEYS = Types(int, str)


def _bodies(frame: FrameType, steps: tuple[_Step, ...]) -> list[int]:
    """Indices of the first instructions of the ``with`` bodies that a frame is in."""
    code, at = frame.f_code, frame.f_lasti
    index = {step.offset: i for i, step in enumerate(steps)}
    if sys.version_info < (3, 11):
        return [
            i + 1
            for i, step in enumerate(steps)
            if step.name == "SETUP_WITH" and step.offset < at < step.value
        ]
    from asyncconsole.capture._dataflow import entries  # noqa: PLC0415 - 3.11 and later

    table = entries(code)
    found = []
    for _ in range(DEEPEST):  # where an exception would go, and from there where another would
        entry = next((one for one in table if one.start <= at < one.end), None)
        if entry is None:
            break
        at = entry.target
        handler = index.get(at, 0)
        if any(step.name == "WITH_EXCEPT_START" for step in steps[handler : handler + 3]):
            first = min(one.start for one in table if one.target == at)
            found += [index[first]] if first in index else []
    return found[::-1]


def _assigned(steps: tuple[_Step, ...], text: str) -> bool:
    """True when code assigns to the last name of an expression."""
    last = text.rpartition(".")[2].partition("[")[0]
    return any(step.name.startswith("STORE_") and step.value == last for step in steps)


_known: dict[int, tuple[weakref.ref[CodeType], tuple[_Step, ...]]] = {}
"""By the code object's id, which must not be kept alive."""


def _steps(code: CodeType) -> tuple[_Step, ...]:
    """The instructions that do something."""
    if len(code.co_code) > LONGEST:
        return ()
    known = _known.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    import dis  # noqa: PLC0415 - only where a thread may be blocked by a lock

    steps = tuple(
        _Step(one.offset, one.opname, one.arg or 0, one.argval)
        for one in dis.get_instructions(code)
        if one.opname not in _FILLERS
    )
    if len(_known) >= CACHED:
        _known.pop(next(iter(_known)), None)
    _known[id(code)] = weakref.ref(code), steps
    return steps
