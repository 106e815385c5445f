"""CPython 3.11, 3.12 and 3.13: an exit lies on the stack as one bound method.

Checked on 3.11.7, 3.12.1 and 3.13.0; the effects follow Python/ceval.c (3.11) and
Python/bytecodes.c (3.12, 3.13) of CPython.
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
    NULL,
    OBJECT,
    STEPS,
    Effect,
    Shape,
    Slot,
    Step,
    Walk,
)

if TYPE_CHECKING:
    from types import CodeType

MINOR: Final = sys.version_info[1]
TAKEN: Final[Effect] = (0, 0)
"""A jump that leaves the stack as it is."""


def _before_with(walk: Walk, at: int, is_async: bool) -> None:
    walk.pop()
    walk.stack += [Slot("exit", at, EXIT_NAMES[is_async]), OBJECT]


def _enter(walk: Walk, _arg: int, at: int) -> None:
    _before_with(walk, at, is_async=False)


def _enter_async(walk: Walk, _arg: int, at: int) -> None:
    _before_with(walk, at, is_async=True)


def _load_global(walk: Walk, arg: int, _at: int) -> None:
    if not arg & 1:
        walk.stack.append(OBJECT)
    elif MINOR < 13:  # noqa: PLR2004  3.13 put the callable first
        walk.stack += [NULL, OBJECT]
    else:
        walk.stack += [OBJECT, NULL]


def _method_pair(walk: Walk, name: str) -> None:
    """What is called and its ``self``; only one object when it is no method."""
    if MINOR < 13:  # noqa: PLR2004  3.13 put the callable first
        walk.stack += [Slot("method", 0, name), OBJECT]
    else:
        walk.stack += [CALLABLE, Slot("receiver", 0, name)]


def _load_method(walk: Walk, arg: int, _at: int) -> None:
    walk.pop()
    _method_pair(walk, walk.code.co_names[arg])


def _load_attr(walk: Walk, arg: int, _at: int) -> None:
    walk.pop()
    if arg & 1:
        _method_pair(walk, walk.code.co_names[arg >> 1])
    else:
        walk.stack.append(OBJECT)


def _load_super_attr(walk: Walk, arg: int, _at: int) -> None:
    walk.pop(3)
    if arg & 1:
        _method_pair(walk, walk.code.co_names[arg >> 2])
    else:
        walk.stack.append(OBJECT)


_COMMON: Final[dict[str, Effect]] = {
    **EFFECTS,
    "RESUME": (0, 0),
    "RETURN_GENERATOR": (0, 1),  # the first send() puts None there
    "MATCH_KEYS": (0, 1),
    "MATCH_CLASS": (3, 1),
    "CHECK_EXC_MATCH": (1, 1),
    "CHECK_EG_MATCH": (2, 2),
    "POP_EXCEPT": (1, 0),
    "END_ASYNC_FOR": (2, 0),
    "BINARY_OP": (2, 1),
    "FOR_ITER": (0, 1),
    "CALL": lambda arg: (arg + 2, 1),
    "CALL_FUNCTION_EX": lambda arg: (3 + (arg & 1), 1),
    "KW_NAMES": (0, 0),
}

_EFFECTS: Final[dict[int, dict[str, Effect]]] = {
    11: {
        **_COMMON,
        "PRECALL": (0, 0),
        "ASYNC_GEN_WRAP": (1, 1),
        "PREP_RERAISE_STAR": (2, 1),
        "SEND": (0, 0),
        "MAKE_FUNCTION": lambda arg: (1 + (arg & 15).bit_count(), 1),
        "JUMP_IF_FALSE_OR_POP": (1, 0),
        "JUMP_IF_TRUE_OR_POP": (1, 0),
        **{
            f"POP_JUMP_{way}_IF_{test}": (1, 0)
            for way in ("FORWARD", "BACKWARD")
            for test in ("TRUE", "FALSE", "NONE", "NOT_NONE")
        },
    },
    12: {
        **_COMMON,
        "MAKE_FUNCTION": lambda arg: (1 + (arg & 15).bit_count(), 1),
        "END_FOR": (2, 0),
    },
    13: {
        **_COMMON,
        "CALL_KW": lambda arg: (arg + 3, 1),
        "MAKE_FUNCTION": (1, 1),
        "SET_FUNCTION_ATTRIBUTE": (2, 1),
        "END_FOR": (1, 0),
        "TO_BOOL": (1, 1),
        "FORMAT_SIMPLE": (1, 1),
        "FORMAT_WITH_SPEC": (2, 1),
        "CONVERT_VALUE": (1, 1),
    },
}

SINCE_312: Final[dict[str, Effect]] = {
    "SEND": (0, 0),
    "END_SEND": (2, 1),
    "CLEANUP_THROW": (3, 2),
    "BINARY_SLICE": (3, 1),
    "STORE_SLICE": (4, 0),
    "LOAD_LOCALS": (0, 1),
    "LOAD_FROM_DICT_OR_GLOBALS": (1, 1),
    "LOAD_FROM_DICT_OR_DEREF": (1, 1),
    "CALL_INTRINSIC_1": (1, 1),
    "CALL_INTRINSIC_2": (2, 1),
    "POP_JUMP_IF_TRUE": (1, 0),
    "POP_JUMP_IF_FALSE": (1, 0),
    "POP_JUMP_IF_NONE": (1, 0),
    "POP_JUMP_IF_NOT_NONE": (1, 0),
}

_STEPS: Final[dict[str, Step]] = {
    **STEPS,
    "BEFORE_WITH": _enter,
    "BEFORE_ASYNC_WITH": _enter_async,
    "LOAD_GLOBAL": _load_global,
    "LOAD_SUPER_ATTR": _load_super_attr,
    "COPY_FREE_VARS": copy_free_vars,
    "PUSH_EXC_INFO": push_exc_info,
    **({"LOAD_METHOD": _load_method} if MINOR == 11 else {"LOAD_ATTR": _load_attr}),  # noqa: PLR2004  3.11
}

JUMPS: Final[dict[str, Effect]] = {
    "JUMP_FORWARD": TAKEN,
    "JUMP_BACKWARD": TAKEN,
    "JUMP_BACKWARD_NO_INTERRUPT": TAKEN,
    "SEND": TAKEN,
    "FOR_ITER": (0, 1),  # a value that END_FOR takes away; never seen by the collector
    **{name: (1, 0) for name in SINCE_312 if name.startswith("POP_JUMP_")},
}

_JUMPS_311: Final[dict[str, Effect]] = {
    **JUMPS,
    "SEND": (2, 1),
    "FOR_ITER": (1, 0),
    "JUMP_IF_FALSE_OR_POP": TAKEN,
    "JUMP_IF_TRUE_OR_POP": TAKEN,
    **{name: (1, 0) for name in _EFFECTS[11] if name.startswith("POP_JUMP_")},
}

DIALECT: Final = Dialect(
    effects=_EFFECTS.get(MINOR, {}) | (SINCE_312 if MINOR > 11 else {}),  # noqa: PLR2004  3.11
    steps=_STEPS,
    jumps=_JUMPS_311 if MINOR == 11 else JUMPS,  # noqa: PLR2004  3.11
    # The compiler counts the two halves of a 3.11 call, and the value that starts a
    # generator up to 3.12, in other places than they take effect.
    unchecked=frozenset({"PRECALL", "CALL"} if MINOR == 11 else ())  # noqa: PLR2004  3.11
    | {"RETURN_GENERATOR"},
    number_shown=True,
    pair=False,
    item_positions=MINOR >= 13,  # noqa: PLR2004  3.13
)


def analyse(code: CodeType) -> Shape:
    """The suspensions of a code object.

    Raises:
        StrangeCodeError: when it can't be understood.
    """
    return Analysis(code, DIALECT).shape()


SPELLING: Final = Spelling(names=1, attributes=0 if MINOR == 11 else 1)  # noqa: PLR2004  3.11


def flow(code: CodeType) -> Flow:
    """What explicit acquire and release in a code object say.

    Raises:
        StrangeCodeError: when it can't be understood.
    """
    return FlowAnalysis(code, DIALECT, SPELLING).flow()
