"""Runs a code object on slots, for versions with an exception table (3.11 and later).

What differs between those versions comes in a `Dialect`. Anything it does not know,
and any stack effect that differs from what the interpreter itself states, ends the
analysis: then nothing is claimed about that code.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from asyncconsole.capture._stack import (
    EXIT_NAMES,
    ITERATOR,
    NUMBER,
    OBJECT,
    PREVIOUS,
    SELF,
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
    from collections.abc import Iterable, Iterator
    from types import CodeType

LONGEST: Final = 100_000
"""Bytes of bytecode that are analysed at most."""

ROUNDS: Final = 20
"""Visits of each instruction, on average, after which an analysis gives up."""

ENDS: Final = frozenset({"RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS"})
_STILL_WAITS: Final = "JUMP_BACKWARD_NO_INTERRUPT"
"""What lies between an ``await`` and what follows it, up to 3.11."""
AWAITED: Final = 2
"""Lowest argument of a RESUME that follows an ``await`` or ``yield from``."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The bytecode of some versions.

    Attributes:
        effects: Plain instructions.
        steps: Instructions that need more.
        jumps: For instructions that jump: effect when they do, when not None;
            instructions named ``JUMP…`` always do.
        unchecked: Whose stack effect the interpreter states differently on purpose.
        number_shown: Whether the collector shows saved instruction numbers.
        pair: Whether an exit lies on the stack as function and object.
        item_positions: Whether entering has the position of the with-item.
    """

    effects: dict[str, Effect]
    steps: dict[str, Step]
    jumps: dict[str, Effect]
    unchecked: frozenset[str]
    number_shown: bool
    pair: bool
    item_positions: bool


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction with its extended argument."""

    offset: int
    op: int
    name: str
    arg: int
    after: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an exception table: offsets, target, stack depth, whether a number is pushed."""

    start: int
    end: int
    target: int
    depth: int
    number: bool


def instructions(code: CodeType, names: list[str]) -> dict[int, Instruction]:
    """The instructions by offset; inline caches belong to the instruction before."""
    raw = code.co_code
    size = len(raw)
    found = {}
    extended = at = 0
    while at < size:
        op = raw[at]
        after = at + 2
        while after < size and raw[after] == 0:  # CACHE is 0 on every such version
            after += 2
        name = names[op]
        arg = raw[at + 1] | extended
        extended = arg << 8 if name == "EXTENDED_ARG" else 0
        found[at] = Instruction(at, op, name, arg, after)
        at = after
    return found


def entries(code: CodeType) -> list[Entry]:
    """The exception table (format: Objects/exception_handling_notes.txt of CPython)."""
    numbers = _varints(code.co_exceptiontable)  # type: ignore[attr-defined]  # from 3.11 on
    found = []
    for start, length, target, packed in zip(*[numbers] * 4, strict=True):
        entry = Entry(start * 2, (start + length) * 2, target * 2, packed >> 1, bool(packed & 1))
        found.append(entry)
    return found


def _varints(table: bytes) -> Iterator[int]:
    value = 0
    for byte in table:
        value = value << 6 | byte & 63
        if not byte & 64:
            yield value
            value = 0


class Analysis:
    """One code object on its way to a `Shape`."""

    def __init__(self, code: CodeType, dialect: Dialect) -> None:
        import opcode  # noqa: PLC0415  lazily: the host may never need it

        if len(code.co_code) > LONGEST:
            raise StrangeCodeError
        self.code = code
        self.dialect = dialect
        self.listing = instructions(code, opcode.opname)
        self.relative = {opcode.opname[op] for op in (*opcode.hasjrel, *opcode.hasjabs)}
        self.relative.discard("END_ASYNC_FOR")  # its argument is for monitoring only
        self.stack_effect = opcode.stack_effect
        self.has_argument = frozenset(getattr(opcode, "hasarg", range(opcode.HAVE_ARGUMENT, 256)))
        self.table = entries(code)
        self.cover: dict[int, Entry] = {}
        for entry in self.table:
            for at in range(entry.start, entry.end, 2):
                self.cover.setdefault(at, entry)
        self.joins: dict[int, tuple[tuple[Slot, ...], int, int]] = {}
        self.work: list[int] = []
        self.heads = {entry.target for entry in self.table}
        for item in self.listing.values():
            if item.name in self.relative:
                self.heads.add(self.target(item))
        self.before = dict(zip(list(self.listing)[1:], self.listing, strict=False))
        self.positions: list[tuple[int | None, ...]] = []
        self.places: dict[int, tuple[int, tuple[int, int, int, int] | None]] = {}
        self.yields: dict[int, tuple[tuple[Slot, ...], int, int]] = {}

    def walk(self, stack: Iterable[Slot], sure: int, maybe: int) -> Walk:
        """A walk that goes on from that state."""
        return Walk(self.code, list(stack), sure, maybe)

    def target(self, item: Instruction) -> int:
        """Where an instruction jumps to."""
        return item.after + (-2 if "BACKWARD" in item.name else 2) * item.arg

    def join(self, at: int, stack: tuple[Slot, ...], sure: int, maybe: int) -> None:
        """A path leads to ``at`` with this state."""
        known = self.joins.get(at)
        if known is None:
            self.joins[at] = (stack, sure, maybe)
            heappush(self.work, at)
            return
        if known == (stack, sure, maybe):
            return
        if len(known[0]) != len(stack):
            raise StrangeCodeError
        if known[0] != stack:
            stack = tuple(map(merge, known[0], stack))
        merged = (stack, known[1] & sure, known[2] | maybe)
        if merged != known:
            self.joins[at] = merged
            heappush(self.work, at)

    def run(self) -> None:
        """Walk every path until nothing new is learnt."""
        self.join(0, (), *arguments(self.code))
        budget = ROUNDS * (len(self.listing) + 100)
        while self.work:
            at = heappop(self.work)
            while self.work and self.work[0] == at:
                heappop(self.work)
            stack, sure, maybe = self.joins[at]
            budget -= self.line(at, self.walk(stack, sure, maybe))
            if budget < 0:
                raise StrangeCodeError

    def line(self, at: int, walk: Walk) -> int:
        """Walk straight on from ``at`` up to the next join; how many instructions."""
        last: object = None
        count = 0
        while True:
            item = self.listing.get(at)
            if item is None:
                raise StrangeCodeError
            count += 1
            entry = self.cover.get(at)
            # Entries also cover instructions that can't raise, where the stack may be lower.
            if entry is not None and entry.depth <= len(walk.stack):
                state = (tuple(walk.stack[: entry.depth]), walk.sure, walk.maybe)
                if last != (entry, state):
                    last = (entry, state)
                    self.raised(entry, *state)
            if not self.execute(item, walk):
                return count
            at = item.after
            if at in self.heads:
                self.join(at, tuple(walk.stack), walk.sure, walk.maybe)
                return count

    def execute(self, item: Instruction, walk: Walk) -> bool:
        """Run one instruction; whether the walk goes straight on."""
        name = item.name
        if name in ENDS:
            return False
        if name in self.relative:
            return self.jump(item, walk)
        if name == "YIELD_VALUE":
            self.yields[item.offset] = (tuple(walk.stack[:-1]), walk.sure, walk.maybe)
        before = len(walk.stack)
        step = self.dialect.steps.get(name)
        if step is not None:
            step(walk, item.arg, item.offset)
        else:
            apply(walk, self.dialect.effects.get(name), item.arg)
        self.check(item, len(walk.stack) - before)
        return True

    def raised(self, entry: Entry, stack: tuple[Slot, ...], sure: int, maybe: int) -> None:
        """An instruction may raise: the handler's state."""
        if entry.number and self.dialect.number_shown:
            stack += (NUMBER,)
        elif entry.number:
            stack += (Slot("null"),)
        self.join(entry.target, (*stack, OBJECT), sure, maybe)

    def jump(self, item: Instruction, walk: Walk) -> bool:
        """Follow a jump; whether the walk also goes straight on."""
        taken = self.dialect.jumps.get(item.name)
        if taken is None:
            raise StrangeCodeError
        other = self.walk(walk.stack, walk.sure, walk.maybe)
        apply(other, taken, item.arg)
        self.join(self.target(item), tuple(other.stack), other.sure, other.maybe)
        if item.name.startswith("JUMP") and "_IF_" not in item.name:
            return False
        before = len(walk.stack)
        apply(walk, self.dialect.effects.get(item.name), item.arg)
        self.check(item, len(walk.stack) - before)
        return True

    def check(self, item: Instruction, effect: int) -> None:
        """Compare with what the interpreter says of itself."""
        if item.name in self.dialect.unchecked:
            return
        arg = item.arg if item.op in self.has_argument else None
        if self.stack_effect(item.op, arg, jump=False) != effect:
            raise StrangeCodeError

    def shape(self) -> Shape:
        """Everything about the code's suspensions."""
        self.run()
        begin = [at for at, item in self.listing.items() if item.name == "RETURN_GENERATOR"]
        points = {}
        for at, (stack, sure, maybe) in self.yields.items():
            point = self.point(at, stack, sure, maybe)
            if point is not None:
                # f_lasti is that of the yield up to 3.12, then that of the RESUME behind it.
                points[at] = points[at + 2] = point
        return Shape(points, frozenset({*begin, *(self.listing[at].after for at in begin)}))

    def point(self, at: int, stack: tuple[Slot, ...], sure: int, maybe: int) -> Point | None:
        """One suspension; None when table and stack disagree."""
        resume = self.listing.get(self.listing[at].after)
        if resume is None or resume.name != "RESUME":
            return None
        exits = []
        depth = len(stack) + 1  # the value that is being yielded counts in the table
        floor = depth
        entry = self.cover.get(at)
        seen = set()
        while entry is not None:
            if entry.depth > depth or entry.target in seen:
                return None  # no compiler makes that
            seen.add(entry.target)
            depth = entry.depth + entry.number + 1  # as the handler starts
            floor = min(floor, entry.depth)
            if self.is_with(entry.target):
                pick = entry.depth - (2 if self.dialect.pair else 1)
                if pick < 0 or entry.depth > floor or stack[pick].what != "exit":
                    return None
                if self.dialect.pair and stack[pick + 1] != SELF:
                    return None
                exits.append(self.in_force(pick, stack[pick]))
            entry = self.cover.get(entry.target)
        return Point(
            stack=stack,
            awaiting=resume.arg & 3 >= AWAITED,
            handling=PREVIOUS in stack,
            least=sure.bit_count(),
            most=maybe.bit_count(),
            exits=tuple(reversed(exits)),
            iterators=tuple(index for index, slot in enumerate(stack) if slot == ITERATOR),
        )

    def is_with(self, target: int) -> bool:
        """Whether a handler is that of a ``with``."""
        push = self.listing.get(target)
        if push is None or push.name != "PUSH_EXC_INFO":
            return False
        start = self.listing.get(push.after)
        return start is not None and start.name == "WITH_EXCEPT_START"

    def in_force(self, pick: int, slot: Slot) -> InForce:
        """An exit with the place of the with-item that fetched it."""
        owner = pick + 1 if self.dialect.pair else -1
        line, span = self.place_of(slot.offset)
        return InForce(pick, owner, slot.name == EXIT_NAMES[True], line, span)

    def place_of(self, entered: int) -> tuple[int, tuple[int, int, int, int] | None]:
        """Line and span of the with-item that is entered at that offset."""
        known = self.places.get(entered)
        if known is not None:
            return known
        at = entered
        exact = self.dialect.item_positions
        if not exact:
            # Entering has the position of the whole statement; the instruction before
            # made the manager, unless paths of a conditional expression meet here.
            before = self.before[at]
            exact = at not in self.heads or self.listing[before].name == _STILL_WAITS
            at = before if exact else at
        if not self.positions:
            self.positions += self.code.co_positions()  # type: ignore[attr-defined]  # from 3.11 on
        line, end_line, column, end_column = self.positions[at // 2]
        span = None
        if exact and line and end_line and column is not None and end_column is not None:
            span = (line, end_line, column, end_column)
        self.places[entered] = (line or self.code.co_firstlineno, span)
        return self.places[entered]


def arguments(code: CodeType) -> tuple[int, int]:
    """Which locals have a value when the code starts."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    return (1 << count) - 1, (1 << count) - 1


def copy_free_vars(walk: Walk, arg: int, _at: int) -> None:
    """The last ``arg`` locals become the closure's cells."""
    code = walk.code
    cells = sum(name not in code.co_varnames for name in code.co_cellvars)
    first = len(code.co_varnames) + cells
    if arg != len(code.co_freevars):
        raise StrangeCodeError
    for local in range(first, first + arg):
        walk.store(local, OBJECT)


def push_exc_info(walk: Walk, _arg: int, _at: int) -> None:
    """The exception handled so far goes below the new one."""
    walk.pop()
    walk.stack += [PREVIOUS, OBJECT]


def apply(walk: Walk, effect: Effect | None, arg: int) -> None:
    """A plain instruction.

    Raises:
        StrangeCodeError: when it is unknown.
    """
    if effect is None:
        raise StrangeCodeError
    popped, pushed = effect(arg) if callable(effect) else effect
    walk.pop(popped)
    if pushed:
        walk.stack += [OBJECT] * pushed
