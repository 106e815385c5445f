"""CPython 3.14 and 3.15: an exit lies on the stack as function and object.

``LOAD_SPECIAL`` leaves the plain function found on the manager's class, followed by
the manager; or what a descriptor made of it, followed by an empty slot. Saved
instruction numbers are tagged integers, which the collector does not show.

Checked on 3.14.10 and 3.15.2; the effects follow Python/bytecodes.c of CPython.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from asyncconsole.capture._claims import Flow, Spelling
from asyncconsole.capture._dataflow import (
    Analysis,
    Dialect,
    copy_free_vars,
    push_exc_info,
)
from asyncconsole.capture._flow import FlowAnalysis
from asyncconsole.capture._stack import (
    CALLABLE,
    EFFECTS,
    EXIT_NAMES,
    MAYBE,
    NULL,
    OBJECT,
    SELF,
    STEPS,
    Effect,
    Shape,
    Slot,
    Step,
    StrangeCodeError,
    Walk,
)

if TYPE_CHECKING:
    from types import CodeType

MINOR: Final = sys.version_info[1]
SPECIAL: Final = {1: EXIT_NAMES[False], 3: EXIT_NAMES[True]}
"""Arguments of LOAD_SPECIAL that fetch an exit; 0 and 2 fetch what enters."""


def _load_special(walk: Walk, arg: int, at: int) -> None:
    walk.pop()
    if arg in SPECIAL:
        walk.stack += [Slot("exit", at, SPECIAL[arg]), SELF]
    elif arg in {0, 2}:
        walk.stack += [OBJECT, MAYBE]
    else:
        raise StrangeCodeError


def _load_global(walk: Walk, arg: int, _at: int) -> None:
    walk.stack += [OBJECT, NULL] if arg & 1 else [OBJECT]


def _attribute(walk: Walk, name: str, called: int) -> None:
    """An attribute; if it will be called, followed by its ``self`` when it is a method."""
    walk.stack += [CALLABLE, Slot("receiver", 0, name)] if called else [OBJECT]


def _load_attr(walk: Walk, arg: int, _at: int) -> None:
    walk.pop()
    _attribute(walk, walk.code.co_names[arg >> 1], arg & 1)


def _load_super_attr(walk: Walk, arg: int, _at: int) -> None:
    walk.pop(3)
    _attribute(walk, walk.code.co_names[arg >> 2], arg & 1)


def _get_iter_indexed(walk: Walk, _arg: int, _at: int) -> None:
    """3.15: the second slot is empty or a tagged index."""
    walk.pop()
    walk.stack += [OBJECT, NULL]


def _cleanup_throw(walk: Walk, _arg: int, _at: int) -> None:
    """3.15: the slot between receiver and value stays empty."""
    walk.pop(4)
    walk.stack += [OBJECT, NULL, OBJECT]


_EFFECTS: Final[dict[str, Effect]] = {
    **EFFECTS,
    "RESUME": (0, 0),
    "RETURN_GENERATOR": (0, 1),  # the first send() puts None there
    "NOT_TAKEN": (0, 0),
    "MATCH_KEYS": (0, 1),
    "MATCH_CLASS": (3, 1),
    "CHECK_EXC_MATCH": (1, 1),
    "CHECK_EG_MATCH": (2, 2),
    "POP_EXCEPT": (1, 0),
    "END_ASYNC_FOR": (2, 0),
    "BINARY_OP": (2, 1),
    "BINARY_SLICE": (3, 1),
    "STORE_SLICE": (4, 0),
    "BUILD_SLICE": lambda arg: (arg, 1),
    "BUILD_TEMPLATE": (2, 1),
    "BUILD_INTERPOLATION": lambda arg: (2 + (arg & 1), 1),
    "FORMAT_SIMPLE": (1, 1),
    "FORMAT_WITH_SPEC": (2, 1),
    "CONVERT_VALUE": (1, 1),
    "TO_BOOL": (1, 1),
    "CALL": lambda arg: (arg + 2, 1),
    "CALL_KW": lambda arg: (arg + 3, 1),
    "CALL_FUNCTION_EX": (4, 1),
    "CALL_INTRINSIC_1": (1, 1),
    "CALL_INTRINSIC_2": (2, 1),
    "MAKE_FUNCTION": (1, 1),
    "SET_FUNCTION_ATTRIBUTE": (2, 1),
    "LOAD_LOCALS": (0, 1),
    "LOAD_FROM_DICT_OR_GLOBALS": (1, 1),
    "LOAD_FROM_DICT_OR_DEREF": (1, 1),
    "LOAD_SMALL_INT": (0, 1),
    "LOAD_COMMON_CONSTANT": (0, 1),
    "FOR_ITER": (0, 1),
    "END_FOR": (1, 0),
    "SEND": (0, 0),
    "POP_JUMP_IF_TRUE": (1, 0),
    "POP_JUMP_IF_FALSE": (1, 0),
    "POP_JUMP_IF_NONE": (1, 0),
    "POP_JUMP_IF_NOT_NONE": (1, 0),
    **(
        {"POP_ITER": (1, 0), "END_SEND": (2, 1), "CLEANUP_THROW": (3, 2)}
        if MINOR == 14  # noqa: PLR2004  3.14
        else {"POP_ITER": (2, 0), "END_SEND": (3, 1)}
    ),
}

_STEPS: Final[dict[str, Step]] = {
    **STEPS,
    "LOAD_SPECIAL": _load_special,
    "LOAD_GLOBAL": _load_global,
    "LOAD_ATTR": _load_attr,
    "LOAD_SUPER_ATTR": _load_super_attr,
    "COPY_FREE_VARS": copy_free_vars,
    "PUSH_EXC_INFO": push_exc_info,
    **(
        {"GET_ITER": _get_iter_indexed, "CLEANUP_THROW": _cleanup_throw}
        if MINOR > 14  # noqa: PLR2004  3.14
        else {}
    ),
}

_JUMPS: Final[dict[str, Effect]] = {
    "JUMP_FORWARD": (0, 0),
    "JUMP_BACKWARD": (0, 0),
    "JUMP_BACKWARD_NO_INTERRUPT": (0, 0),
    "SEND": (0, 0),
    "FOR_ITER": (0, 1),  # a value that END_FOR takes away; never seen by the collector
    "POP_JUMP_IF_TRUE": (1, 0),
    "POP_JUMP_IF_FALSE": (1, 0),
    "POP_JUMP_IF_NONE": (1, 0),
    "POP_JUMP_IF_NOT_NONE": (1, 0),
}

DIALECT: Final = Dialect(
    effects=_EFFECTS,
    steps=_STEPS,
    jumps=_JUMPS,
    unchecked=frozenset(),
    number_shown=False,
    pair=True,
    item_positions=True,
)


def analyse(code: CodeType) -> Shape:
    """The suspensions of a code object.

    Raises:
        StrangeCodeError: when it can't be understood.
    """
    return Analysis(code, DIALECT).shape()


SPELLING: Final = Spelling(names=1, attributes=1, subscript=26)


def flow(code: CodeType) -> Flow:
    """What explicit acquire and release in a code object say.

    Raises:
        StrangeCodeError: when it can't be understood.
    """
    return FlowAnalysis(code, DIALECT, SPELLING).flow()
