"""CPython 3.10: no exception table, blocks are set up and popped while running.

The bytecode is walked with the stack of blocks next to the stack of values. An exit
is in force while the block that its ``SETUP_WITH`` pushed is there. A handler starts
with the stack cut to its block's level and six objects on it: the exception handled
before (traceback, value, type; the first two absent when there is none) and the one
it handles.

Checked on 3.10.13; the effects follow Python/ceval.c of CPython.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from asyncconsole.capture._claims import Flow, Ledger, Spelling
from asyncconsole.capture._dataflow import ENDS, LONGEST, ROUNDS, apply, arguments
from asyncconsole.capture._stack import (
    EFFECTS,
    EXIT_NAMES,
    ITERATOR,
    NULL,
    OBJECT,
    STEPS,
    Effect,
    InForce,
    Point,
    Shape,
    Slot,
    Step,
    StrangeCodeError,
    Walk,
    merge,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType


class Block(NamedTuple):
    """One block: what it is (``with``, ``finally``, ``handler``), its handler, its level."""

    what: str
    target: int
    level: int


@dataclass(frozen=True, slots=True)
class State:
    """What is known in front of an instruction."""

    stack: tuple[Slot, ...]
    blocks: tuple[Block, ...]
    sure: int
    maybe: int


_EFFECTS: Final[dict[str, Effect]] = {
    **EFFECTS,
    **dict.fromkeys(
        (
            f"{kind}_{operation}"
            for kind in ("BINARY", "INPLACE")
            for operation in (
                *("MATRIX_MULTIPLY", "POWER", "MULTIPLY", "MODULO", "ADD", "SUBTRACT"),
                *("FLOOR_DIVIDE", "TRUE_DIVIDE", "LSHIFT", "RSHIFT", "AND", "XOR", "OR"),
            )
        ),
        (2, 1),
    ),
    "GEN_START": (1, 0),
    "MATCH_KEYS": (0, 2),
    "MATCH_CLASS": (2, 1),
    "COPY_DICT_WITHOUT_KEYS": (1, 1),
    "YIELD_FROM": (2, 1),
    "CALL_FUNCTION": lambda arg: (arg + 1, 1),
    "CALL_FUNCTION_KW": lambda arg: (arg + 2, 1),
    "CALL_FUNCTION_EX": lambda arg: (2 + (arg & 1), 1),
    "CALL_METHOD": lambda arg: (arg + 2, 1),
    "MAKE_FUNCTION": lambda arg: (2 + (arg & 15).bit_count(), 1),
    "FOR_ITER": (0, 1),
    "JUMP_IF_FALSE_OR_POP": (1, 0),
    "JUMP_IF_TRUE_OR_POP": (1, 0),
    "POP_JUMP_IF_FALSE": (1, 0),
    "POP_JUMP_IF_TRUE": (1, 0),
    "JUMP_IF_NOT_EXC_MATCH": (2, 0),
}

_JUMPS: Final[dict[str, Effect]] = {
    "JUMP_FORWARD": (0, 0),
    "JUMP_ABSOLUTE": (0, 0),
    "FOR_ITER": (1, 0),
    "JUMP_IF_FALSE_OR_POP": (0, 0),
    "JUMP_IF_TRUE_OR_POP": (0, 0),
    "POP_JUMP_IF_FALSE": (1, 0),
    "POP_JUMP_IF_TRUE": (1, 0),
    "JUMP_IF_NOT_EXC_MATCH": (2, 0),
}


_BLOCKS: Final = {
    "SETUP_FINALLY": 0,
    "SETUP_WITH": 1,
    "SETUP_ASYNC_WITH": 1,
    "POP_BLOCK": 0,
    "POP_EXCEPT": 3,
    "END_ASYNC_FOR": 7,
}
"""Instructions that set up or pop a block, and how many objects they pop."""


def _rotate(walk: Walk, count: int) -> None:
    if not 0 < count <= len(walk.stack):
        raise StrangeCodeError
    walk.stack.insert(-count, walk.stack[-1])
    walk.stack.pop()


def _duplicate(walk: Walk, count: int) -> None:
    if count > len(walk.stack):
        raise StrangeCodeError
    walk.stack += walk.stack[-count:]


def _load_method(walk: Walk, arg: int, _at: int) -> None:
    walk.pop()
    walk.stack += [Slot("method", 0, walk.code.co_names[arg]), OBJECT]


def _before_async_with(walk: Walk, _arg: int, at: int) -> None:
    walk.pop()
    walk.stack += [Slot("exit", at, EXIT_NAMES[True]), OBJECT]


_STEPS: Final[dict[str, Step]] = {
    **STEPS,
    "ROT_TWO": lambda walk, _arg, _at: _rotate(walk, 2),
    "ROT_THREE": lambda walk, _arg, _at: _rotate(walk, 3),
    "ROT_FOUR": lambda walk, _arg, _at: _rotate(walk, 4),
    "ROT_N": lambda walk, arg, _at: _rotate(walk, arg),
    "DUP_TOP": lambda walk, _arg, _at: _duplicate(walk, 1),
    "DUP_TOP_TWO": lambda walk, _arg, _at: _duplicate(walk, 2),
    "LOAD_METHOD": _load_method,
    "BEFORE_ASYNC_WITH": _before_async_with,
}


class _Analysis:
    """One code object on its way to a `Shape`."""

    def __init__(self, code: CodeType) -> None:
        import opcode  # noqa: PLC0415  lazily: the host may never need it

        raw = code.co_code
        if len(raw) > LONGEST:
            raise StrangeCodeError
        self.code = code
        self.relative = {opcode.opname[op] for op in opcode.hasjrel}
        self.absolute = {opcode.opname[op] for op in opcode.hasjabs}
        self.stack_effect = opcode.stack_effect
        self.wants = opcode.HAVE_ARGUMENT
        self.listing: dict[int, tuple[int, str, int]] = {}
        extended = 0
        for at in range(0, len(raw), 2):
            name = opcode.opname[raw[at]]
            arg = raw[at + 1] | extended
            extended = arg << 8 if name == "EXTENDED_ARG" else 0
            self.listing[at] = (raw[at], name, arg)
        self.heads = {
            self.target(at, name, arg)
            for at, (_, name, arg) in self.listing.items()
            if name in self.relative or name in self.absolute
        }
        self.joins: dict[int, State] = {}
        self.work: list[int] = []
        self.yields: dict[int, tuple[State, bool]] = {}

    def walk(self, stack: Iterable[Slot], sure: int, maybe: int) -> Walk:
        """A walk that goes on from that state."""
        return Walk(self.code, list(stack), sure, maybe)

    def target(self, at: int, name: str, arg: int) -> int:
        """Where an instruction jumps to, or its block's handler."""
        return 2 * arg if name in self.absolute else at + 2 + 2 * arg

    def join(self, at: int, state: State) -> None:
        """A path leads to ``at`` with this state."""
        known = self.joins.get(at)
        if known == state:
            return
        if known is not None:
            if len(known.stack) != len(state.stack) or known.blocks != state.blocks:
                raise StrangeCodeError
            state = State(
                tuple(map(merge, known.stack, state.stack)),
                state.blocks,
                known.sure & state.sure,
                known.maybe | state.maybe,
            )
            if state == known:
                return
        self.joins[at] = state
        heappush(self.work, at)

    def run(self) -> None:
        """Walk every path until nothing new is learnt."""
        # An argument that is a closure's cell leaves its place among the locals empty.
        sure, maybe = arguments(self.code)
        for local, name in enumerate(self.code.co_varnames):
            if name in self.code.co_cellvars:
                sure &= ~(1 << local)
                maybe &= ~(1 << local)
        self.join(0, State((OBJECT,), (), sure, maybe))
        budget = ROUNDS * (len(self.listing) + 100)
        while self.work:
            at = heappop(self.work)
            while self.work and self.work[0] == at:
                heappop(self.work)
            state = self.joins[at]
            walk = self.walk(state.stack, state.sure, state.maybe)
            budget -= self.line(at, walk, list(state.blocks))
            if budget < 0:
                raise StrangeCodeError

    def line(self, at: int, walk: Walk, blocks: list[Block]) -> int:
        """Walk straight on from ``at`` up to the next join; how many instructions."""
        last: object = None
        count = 0
        while True:
            if at not in self.listing:
                raise StrangeCodeError
            count += 1
            if blocks:
                state = (walk.stack[: blocks[-1].level], list(blocks), walk.sure, walk.maybe)
                if state != last:
                    last = state
                    self.raised(walk, blocks)
            before = len(walk.stack)
            if not self.execute(at, walk, blocks):
                return count
            op, _, arg = self.listing[at]
            stated = self.stack_effect(op, arg if op >= self.wants else None, jump=False)
            if stated != len(walk.stack) - before:
                raise StrangeCodeError
            at += 2
            if at in self.heads:
                self.join(at, self.state(walk, blocks))
                return count

    def execute(self, at: int, walk: Walk, blocks: list[Block]) -> bool:
        """Run one instruction; whether the walk goes straight on."""
        _, name, arg = self.listing[at]
        if name in ENDS:
            return False
        if name in {"YIELD_FROM", "YIELD_VALUE"}:
            # While something is awaited, f_lasti is kept one instruction back.
            waits = name == "YIELD_FROM"
            self.yields[at - 2 if waits else at] = (self.state(walk, blocks, 1), waits)
        if name in _JUMPS:
            other = self.walk(walk.stack, walk.sure, walk.maybe)
            apply(other, _JUMPS[name], arg)
            self.join(self.target(at, name, arg), self.state(other, blocks))
            if name in {"JUMP_FORWARD", "JUMP_ABSOLUTE"}:
                return False
        if name in _BLOCKS:
            self.block(at, walk, blocks)
        elif (step := _STEPS.get(name)) is not None:
            step(walk, arg, at)
        else:
            apply(walk, _EFFECTS.get(name), arg)
        return True

    def block(self, at: int, walk: Walk, blocks: list[Block]) -> None:
        """Set a block up, with a level below what entering left, or pop it."""
        _, name, arg = self.listing[at]
        if not name.startswith("SETUP_"):
            if not blocks or (blocks.pop().what == "handler") is (name == "POP_BLOCK"):
                raise StrangeCodeError
            walk.pop(_BLOCKS[name])
            return
        if name == "SETUP_WITH":
            walk.pop()
            walk.stack.append(Slot("exit", at, EXIT_NAMES[False]))
        else:
            walk.pop(_BLOCKS[name])
        what = "finally" if name == "SETUP_FINALLY" else "with"
        blocks.append(Block(what, self.target(at, name, arg), len(walk.stack)))
        if what == "with":
            walk.stack.append(OBJECT)

    def state(self, walk: Walk, blocks: list[Block], without: int = 0) -> State:
        """The walk's state, frozen, less some slots at the top."""
        stack = walk.stack[: len(walk.stack) - without]
        return State(tuple(stack), tuple(blocks), walk.sure, walk.maybe)

    def raised(self, walk: Walk, blocks: list[Block]) -> None:
        """An instruction may raise: the state of the handler that catches it."""
        left = list(blocks)
        while left and left[-1].what == "handler":
            left.pop()
        if not left:
            return
        block = left.pop()
        if block.level > len(walk.stack):
            raise StrangeCodeError
        nested = any(item.what == "handler" for item in left)
        before = (OBJECT, OBJECT, OBJECT) if nested else (NULL, NULL, OBJECT)
        stack = (*walk.stack[: block.level], *before, OBJECT, OBJECT, OBJECT)
        left.append(Block("handler", 0, block.level))
        self.join(block.target, State(stack, tuple(left), walk.sure, walk.maybe))

    def shape(self) -> Shape:
        """Everything about the code's suspensions."""
        self.run()
        points = {}
        for at, (state, awaiting) in self.yields.items():
            point = self.point(state, awaiting)
            if point is not None:
                points[at] = point
        return Shape(points, frozenset({-1}))

    def point(self, state: State, awaiting: bool) -> Point | None:
        """One suspension; None when blocks and stack disagree."""
        exits = []
        for block in state.blocks:
            if block.what == "with":
                pick = block.level - 1
                if not 0 <= pick < len(state.stack) or state.stack[pick].what != "exit":
                    return None
                slot = state.stack[pick]
                is_async = slot.name == EXIT_NAMES[True]
                exits.append(InForce(pick, -1, is_async, self.line_of(slot), None))
        cells = len(self.code.co_cellvars) + len(self.code.co_freevars)
        return Point(
            stack=state.stack,
            awaiting=awaiting,
            handling=False,
            least=state.sure.bit_count() + cells,
            most=state.maybe.bit_count() + cells,
            exits=tuple(exits),
            iterators=tuple(i for i, slot in enumerate(state.stack) if slot == ITERATOR),
        )

    def line_of(self, slot: Slot) -> int:
        """Line of the with-item: of the instruction that made the manager, if it is one."""
        at = slot.offset if slot.offset in self.heads else slot.offset - 2
        lines = (line for start, end, line in self.code.co_lines() if start <= at < end)
        return next(lines, None) or self.code.co_firstlineno


def analyse(code: CodeType) -> Shape:
    """The suspensions of a code object.

    Raises:
        StrangeCodeError: when it can't be understood.
    """
    return _Analysis(code).shape()


class _Claims(_Analysis):
    """Same walk, with a ledger of what is acquired and given back."""

    def __init__(self, code: CodeType) -> None:
        super().__init__(code)
        self.ledger = Ledger(code, Spelling(0, 0), code.co_cellvars + code.co_freevars)

    def walk(self, stack: Iterable[Slot], sure: int, maybe: int) -> Walk:
        """A walk that the ledger follows."""
        return self.ledger.walk(stack, sure, maybe)

    def execute(self, at: int, walk: Walk, blocks: list[Block]) -> bool:
        """Run one instruction and note what it means."""
        before = list(walk.stack)
        goes_on = super().execute(at, walk, blocks)
        if goes_on:
            _, name, arg = self.listing[at]
            self.ledger.after(name, arg, at, before, walk)
        return goes_on


def flow(code: CodeType) -> Flow:
    """What explicit acquire and release in a code object say.

    Raises:
        StrangeCodeError: when it can't be understood.
    """
    claims = _Claims(code)
    claims.run()
    found = (((at,), state.sure, state.maybe) for at, (state, _) in claims.yields.items())
    return claims.ledger.flow(found)
