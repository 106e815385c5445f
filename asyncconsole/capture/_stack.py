"""The value stack of a suspended frame, as its code says it must look.

The garbage collector shows what lies on a frame's stack, but neither where the
locals end and the stack begins, nor which slots are empty. Both follow from the
bytecode: each instruction is run on a stack of *slots*, each of which says what can
lie there, and on two bit masks that say which locals have a value. What results for
each suspension is a `Point`; ``_place.py`` lays it against the objects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Final, NamedTuple


class Slot(NamedTuple):
    """What can lie in one place of a value stack.

    Attributes:
        what: ``object``: something. ``null``: nothing, or what the collector does
            not show. ``maybe``: either. ``exit``: the exit that a ``with`` fetched.
            ``self``: the manager, or nothing, above such an exit (3.14+).
            ``iterator``: what an ``async for`` goes over. ``previous``: the exception
            handled before, or None. ``number``: a saved instruction number.
            ``method``/``receiver``: the part of a method call that is absent
            when the attribute is no method (before/from 3.13). ``callable``: what
            will be called.
        offset: Of the instruction that fetched an ``exit``.
        name: Attribute looked up for ``method``/``receiver``; the exit's name.
    """

    what: str
    offset: int = 0
    name: str = ""


OBJECT: Final = Slot("object")
NULL: Final = Slot("null")
MAYBE: Final = Slot("maybe")
SELF: Final = Slot("self")
ITERATOR: Final = Slot("iterator")
PREVIOUS: Final = Slot("previous")
NUMBER: Final = Slot("number")
CALLABLE: Final = Slot("callable")

NULLABLE: Final = frozenset({"maybe", "self", "method", "receiver"})
EXIT_NAMES: Final = {False: "__exit__", True: "__aexit__"}


def merge(one: Slot, other: Slot) -> Slot:
    """What can lie in a slot that two paths lead to."""
    if one == other:
        return one
    if one.what in NULLABLE or other.what in NULLABLE or NULL in (one, other):
        return MAYBE
    return OBJECT


class StrangeCodeError(Exception):
    """Code that does not fit what is known of this version; never leaves this folder."""


@dataclass(slots=True)
class Walk:
    """The state in front of one instruction.

    Attributes:
        code: The code that is walked.
        stack: Bottom first.
        sure: Bit i is set when local i has a value on every path.
        maybe: Bit i is set when local i has a value on some path.
    """

    code: CodeType
    stack: list[Slot]
    sure: int
    maybe: int

    def pop(self, count: int = 1) -> None:
        """Take slots away.

        Raises:
            StrangeCodeError: when there are not that many.
        """
        if count:
            if count > len(self.stack):
                raise StrangeCodeError
            del self.stack[-count:]

    def take(self) -> Slot:
        """The top slot, taken away."""
        if not self.stack:
            raise StrangeCodeError
        return self.stack.pop()

    def store(self, local: int, slot: Slot) -> None:
        """A local gets what a slot held."""
        bit = 1 << local
        self.maybe |= bit
        self.sure |= bit
        if slot.what in NULLABLE:
            self.sure &= ~bit
        elif slot == NULL:
            self.sure &= ~bit
            self.maybe &= ~bit

    def loaded(self, local: int) -> Slot:
        """A local was read without an error, so it has a value from here on."""
        self.store(local, OBJECT)
        return OBJECT

    def clear(self, local: int) -> Slot:
        """A local loses its value; what it had."""
        bit = 1 << local
        was = OBJECT if self.sure & bit else MAYBE if self.maybe & bit else NULL
        self.sure &= ~bit
        self.maybe &= ~bit
        return was


Step = Callable[[Walk, int, int], None]
"""Runs one instruction: the walk, its argument, its offset."""

Effect = tuple[int, int] | Callable[[int], tuple[int, int]]
"""Slots popped and pushed, or how they follow from the argument."""


def _push_null(walk: Walk, _arg: int, _at: int) -> None:
    walk.stack.append(NULL)


def _load_fast(walk: Walk, arg: int, _at: int) -> None:
    walk.stack.append(walk.loaded(arg))


def _load_two(walk: Walk, arg: int, _at: int) -> None:
    walk.stack += [walk.loaded(arg >> 4), walk.loaded(arg & 15)]


def _store_fast(walk: Walk, arg: int, _at: int) -> None:
    walk.store(arg, walk.take())


def _store_load(walk: Walk, arg: int, _at: int) -> None:
    walk.store(arg >> 4, walk.take())
    walk.stack.append(walk.loaded(arg & 15))


def _store_two(walk: Walk, arg: int, _at: int) -> None:
    walk.store(arg >> 4, walk.take())
    walk.store(arg & 15, walk.take())


def _delete_fast(walk: Walk, arg: int, _at: int) -> None:
    walk.clear(arg)


def _load_and_clear(walk: Walk, arg: int, _at: int) -> None:
    walk.stack.append(walk.clear(arg))


def _make_cell(walk: Walk, arg: int, _at: int) -> None:
    walk.store(arg, OBJECT)


def _swap(walk: Walk, arg: int, _at: int) -> None:
    if not 0 < arg <= len(walk.stack):
        raise StrangeCodeError
    walk.stack[-arg], walk.stack[-1] = walk.stack[-1], walk.stack[-arg]


def _copy(walk: Walk, arg: int, _at: int) -> None:
    if not 0 < arg <= len(walk.stack):
        raise StrangeCodeError
    walk.stack.append(walk.stack[-arg])


def _get_aiter(walk: Walk, _arg: int, _at: int) -> None:
    walk.pop()
    walk.stack.append(ITERATOR)


STEPS: Final[dict[str, Step]] = {
    "PUSH_NULL": _push_null,
    "LOAD_FAST": _load_fast,
    "LOAD_FAST_CHECK": _load_fast,
    "LOAD_FAST_BORROW": _load_fast,
    "LOAD_FAST_LOAD_FAST": _load_two,
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": _load_two,
    "STORE_FAST": _store_fast,
    "STORE_FAST_LOAD_FAST": _store_load,
    "STORE_FAST_STORE_FAST": _store_two,
    "DELETE_FAST": _delete_fast,
    "LOAD_FAST_AND_CLEAR": _load_and_clear,
    "MAKE_CELL": _make_cell,
    "SWAP": _swap,
    "COPY": _copy,
    "GET_AITER": _get_aiter,
}
"""Instructions that mean the same wherever they exist and do more than pop and push."""

EFFECTS: Final[dict[str, Effect]] = {
    "NOP": (0, 0),
    "EXTENDED_ARG": (0, 0),
    "SETUP_ANNOTATIONS": (0, 0),
    "POP_TOP": (1, 0),
    "UNARY_NEGATIVE": (1, 1),
    "UNARY_NOT": (1, 1),
    "UNARY_INVERT": (1, 1),
    "UNARY_POSITIVE": (1, 1),
    "BINARY_SUBSCR": (2, 1),
    "STORE_SUBSCR": (3, 0),
    "DELETE_SUBSCR": (2, 0),
    "GET_LEN": (0, 1),
    "MATCH_MAPPING": (0, 1),
    "MATCH_SEQUENCE": (0, 1),
    "GET_ANEXT": (0, 1),
    "GET_ITER": (1, 1),
    "GET_YIELD_FROM_ITER": (1, 1),
    "GET_AWAITABLE": (1, 1),
    "WITH_EXCEPT_START": (0, 1),
    "LOAD_BUILD_CLASS": (0, 1),
    "LOAD_ASSERTION_ERROR": (0, 1),
    "LIST_TO_TUPLE": (1, 1),
    "PRINT_EXPR": (1, 0),
    "IMPORT_STAR": (1, 0),
    "YIELD_VALUE": (1, 1),
    "STORE_NAME": (1, 0),
    "DELETE_NAME": (0, 0),
    "STORE_GLOBAL": (1, 0),
    "DELETE_GLOBAL": (0, 0),
    "STORE_ATTR": (2, 0),
    "DELETE_ATTR": (1, 0),
    "STORE_DEREF": (1, 0),
    "DELETE_DEREF": (0, 0),
    "LOAD_CONST": (0, 1),
    "LOAD_NAME": (0, 1),
    "LOAD_GLOBAL": (0, 1),
    "LOAD_ATTR": (1, 1),
    "LOAD_CLOSURE": (0, 1),
    "LOAD_DEREF": (0, 1),
    "LOAD_CLASSDEREF": (0, 1),
    "COMPARE_OP": (2, 1),
    "IS_OP": (2, 1),
    "CONTAINS_OP": (2, 1),
    "IMPORT_NAME": (2, 1),
    "IMPORT_FROM": (0, 1),
    "LIST_APPEND": (1, 0),
    "SET_ADD": (1, 0),
    "MAP_ADD": (2, 0),
    "LIST_EXTEND": (1, 0),
    "SET_UPDATE": (1, 0),
    "DICT_MERGE": (1, 0),
    "DICT_UPDATE": (1, 0),
    "BUILD_TUPLE": lambda arg: (arg, 1),
    "BUILD_LIST": lambda arg: (arg, 1),
    "BUILD_SET": lambda arg: (arg, 1),
    "BUILD_STRING": lambda arg: (arg, 1),
    "BUILD_MAP": lambda arg: (2 * arg, 1),
    "BUILD_CONST_KEY_MAP": lambda arg: (arg + 1, 1),
    "BUILD_SLICE": lambda arg: (3 if arg == 3 else 2, 1),  # noqa: PLR2004  its own count
    "FORMAT_VALUE": lambda arg: (2 if arg & 4 else 1, 1),
    "UNPACK_SEQUENCE": lambda arg: (1, arg),
    "UNPACK_EX": lambda arg: (1, (arg & 0xFF) + (arg >> 8) + 1),
}
"""Instructions with the same plain effect wherever they exist."""


@dataclass(frozen=True, slots=True)
class InForce:
    """An exit in force at a suspension.

    Attributes:
        pick: Index of its slot on the stack.
        owner: Index of the slot that holds its manager, when that is a slot of its
            own (3.14+), else -1.
        is_async: ``__aexit__`` or ``__exit__``.
        line: Of the with-item.
        span: ``(line, end_line, column, end_column)`` of its expression, or None.
    """

    pick: int
    owner: int
    is_async: bool
    line: int
    span: tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Point:
    """One suspension in a code.

    Attributes:
        stack: Bottom first, without the value that is being yielded.
        awaiting: Whether it awaits: then the topmost object is what it awaits.
        handling: Whether an exception is being handled there.
        least: Locals that have a value for sure.
        most: Locals that can have a value.
        exits: In force, outermost first.
        iterators: Stack indices of what active ``async for`` loops go over.
    """

    stack: tuple[Slot, ...]
    awaiting: bool
    handling: bool
    least: int
    most: int
    exits: tuple[InForce, ...] = ()
    iterators: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of one code object.

    Attributes:
        points: By ``f_lasti``; a suspension that could not be understood is missing.
        begin: ``f_lasti`` values of a frame that has not run yet.
    """

    points: dict[int, Point]
    begin: frozenset[int]
