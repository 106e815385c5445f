"""What explicit ``await x.acquire()`` and ``x.release()`` say in a function's bytecode.

A `Ledger` goes with the walk over a code object (``_dataflow.py``, ``_cpython_310.py``)
and notes, next to what lies on the stack, which expressions lie there. An expression
whose ``acquire()`` was awaited on every path, and not given back on any, is a claim.

Claims travel as bits above those of the locals: in ``Walk.sure`` (kept where paths meet
only if all of them have it) one bit for each expression; in ``Walk.maybe`` (kept if any
path has it) the lines that acquired it, and what else was released meanwhile, which may
be the same object under another name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Final

from asyncconsole.capture._stack import NULL, OBJECT, Slot, StrangeCodeError, Walk

MOST: Final = 256
"""Bits, after which a code is too intricate for a claim."""

Step = tuple[str, Any]
"""``(fast, index)``, ``(deref, index)``, ``(global, name)``, ``(const, value)``, then
``(attr, name)`` or ``(item, expression)``."""

Expression = tuple[Step, ...]

_PAIRS: Final = frozenset({"acquire", "release", "__aenter__", "__aexit__"})
_PASS_ON: Final = frozenset({"wait_for", "shield"})
_CALLS: Final = frozenset({"CALL", "CALL_KW", "CALL_METHOD", "CALL_FUNCTION", "CALL_FUNCTION_KW"})


@dataclass(frozen=True, slots=True)
class Claim:
    """An expression that was acquired on every path to a suspension.

    Attributes:
        what: The expression.
        line: A line that acquired it.
        unless: Other expressions that were released since; no claim if one of them
            is the same object.
    """

    what: Expression
    line: int
    unless: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A suspension with claims.

    Attributes:
        claims: In the order of their first ``acquire`` in the code.
        sure: Bit i is set when local i has a value for sure.
        maybe: Bit i is set when local i can have one.
    """

    claims: tuple[Claim, ...]
    sure: int
    maybe: int


@dataclass(frozen=True, slots=True)
class Flow:
    """What is known of one code object.

    Attributes:
        spots: Suspensions with claims, by ``f_lasti``.
        uses: Expressions and which of ``acquire``, ``release``, ``__aenter__`` and
            ``__aexit__`` is looked up on them.
    """

    spots: dict[int, Spot]
    uses: frozenset[tuple[Expression, str]]


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a version writes arguments: bits to drop before they index ``co_names``.

    Attributes:
        names: Of ``LOAD_GLOBAL``.
        attributes: Of ``LOAD_ATTR``.
        subscript: Argument of ``BINARY_OP`` that means ``x[y]``; -1 for none.
    """

    names: int
    attributes: int
    subscript: int = -1


@dataclass(slots=True)
class LedgerWalk(Walk):
    """A walk that knows which local a slot came from, and which one is stored to."""

    ledger: Ledger

    def loaded(self, local: int) -> Slot:
        """The local's slot, as an expression."""
        Walk.store(self, local, OBJECT)
        return self.ledger.slot((("fast", local),))

    def store(self, local: int, slot: Slot) -> None:
        """A new value: what is known of the old one no longer has that name."""
        self.ledger.rebound(self, ("fast", local))
        Walk.store(self, local, slot)

    def clear(self, local: int) -> Slot:
        """Same for a local that loses its value."""
        self.ledger.rebound(self, ("fast", local))
        return Walk.clear(self, local)


@dataclass(slots=True)
class Ledger:
    """Expressions and claims of one code object.

    Attributes:
        code: That code.
        spelling: How its version writes it.
        cells: Names by the arguments of ``LOAD_DEREF``.
        base: The first bit above those of the locals.
        expressions: All that was seen, numbered.
        paths: The same, by number.
        bits: What each bit above the locals means.
        uses: See `Flow`.
    """

    code: CodeType
    spelling: Spelling
    cells: tuple[str, ...]
    base: int = field(init=False)
    expressions: dict[Expression, int] = field(default_factory=dict)
    paths: list[Expression] = field(default_factory=list)
    bits: dict[tuple[str, int, int], int] = field(default_factory=dict)
    uses: set[tuple[Expression, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        code = self.code
        self.base = len(code.co_varnames) + len(code.co_cellvars) + len(code.co_freevars)

    def walk(self, stack: Iterable[Slot], sure: int, maybe: int) -> LedgerWalk:
        """A walk that this ledger follows."""
        return LedgerWalk(self.code, list(stack), sure, maybe, self)

    def slot(self, expression: Expression) -> Slot:
        """A slot that holds an expression."""
        number = self.expressions.get(expression)
        if number is None:
            number = self.expressions[expression] = len(self.paths)
            self.paths.append(expression)
        return Slot("expression", number)

    def after(self, name: str, arg: int, at: int, before: list[Slot], walk: Walk) -> None:
        """Put on the slots what an instruction that was just run left there."""
        stack = walk.stack
        if name.startswith("LOAD_"):
            self._load(name, arg, at, before, walk)
        elif name == "BINARY_SUBSCR" or (name == "BINARY_OP" and arg == self.spelling.subscript):
            container, key = before[-2:]
            if container.what == key.what == "expression":
                path = self.paths[container.offset]
                stack[-1] = self.slot((*path, ("item", self.paths[key.offset])))
        elif name in _CALLS:
            self._call(before[len(stack) - 1 :], arg, walk)
        elif name == "GET_AWAITABLE":
            if before[-1].what == "acquiring":
                stack[-1] = Slot("awaited", before[-1].offset, before[-1].name)
        elif name == "CLEANUP_THROW":
            # A throw() into what is awaited ended it all the same;
            # there is an empty slot above that, from 3.15 on.
            index = len(before) - (4 if stack[-2] == NULL else 3)
            stack[index] = before[index]
        elif name in {"END_SEND", "YIELD_FROM"}:
            self.received(before[-3 if len(before) - len(stack) > 1 else -2], walk)
        else:
            self._stored(name, arg, before, walk)

    def received(self, awaited: Slot, walk: Walk) -> None:
        """An await has ended without an exception."""
        if awaited.what == "awaited":
            number = awaited.offset
            drop = [
                bit for (what, of, _), bit in self.bits.items() if what != "held" and of == number
            ]
            for bit in drop:
                walk.maybe &= ~(1 << bit)
            walk.sure |= 1 << self._bit("held", number, 0)
            walk.maybe |= 1 << self._bit("site", number, int(awaited.name))

    def rebound(self, walk: Walk, root: Step) -> None:
        """A name has another value: claims that use it end."""
        self._end(walk, lambda path: root in _roots(path))

    def spot(self, sure: int, maybe: int) -> Spot | None:
        """The claims of a suspension in that state; None when there are none."""
        claims = []
        for (what, number, _), bit in self.bits.items():
            if what != "held" or not sure >> bit & 1:
                continue
            known = [key for key, other in self.bits.items() if maybe >> other & 1]
            sites = [at for kind, of, at in known if kind == "site" and of == number]
            unless = [other for kind, of, other in known if kind == "unless" and of == number]
            path = self.paths[number]
            if sites and not self._handed_over(path):
                claims.append(
                    Claim(
                        path, self._line(min(sites)), tuple(self.paths[other] for other in unless)
                    )
                )
        low = (1 << self.base) - 1
        return Spot(tuple(claims), sure & low, maybe & low) if claims else None

    def flow(self, yields: Iterable[tuple[tuple[int, ...], int, int]]) -> Flow:
        """The result, from the states at each suspension and its ``f_lasti`` values."""
        spots = {}
        for places, sure, maybe in yields:
            found = self.spot(sure, maybe)
            if found is not None:
                spots.update(dict.fromkeys(places, found))
        return Flow(spots, frozenset(self.uses))

    def _load(self, name: str, arg: int, at: int, before: list[Slot], walk: Walk) -> None:
        stack, code = walk.stack, self.code
        if name == "LOAD_GLOBAL":
            text = code.co_names[arg >> self.spelling.names]
            index = len(before) if stack[len(before)] is OBJECT else len(before) + 1
            what = Slot("through") if text in _PASS_ON else self.slot((("global", text),))
            stack[index] = what
        elif name == "LOAD_DEREF":
            stack[-1] = self.slot((("deref", arg),))
        elif name == "LOAD_CONST" and type(code.co_consts[arg]) in {str, int}:
            stack[-1] = self.slot((("const", code.co_consts[arg]),))
        elif name == "LOAD_SMALL_INT":
            stack[-1] = self.slot((("const", arg),))
        elif name in {"LOAD_ATTR", "LOAD_METHOD"}:
            text = code.co_names[arg >> (self.spelling.attributes if name == "LOAD_ATTR" else 0)]
            self._attribute(text, at, before[-1], len(stack) > len(before), walk)
        elif name == "LOAD_SUPER_ATTR":
            self._end(walk, lambda _: True)

    def _attribute(self, name: str, at: int, owner: Slot, called: bool, walk: Walk) -> None:
        """An attribute of what ``owner`` holds; ``called``: two slots, for a method call."""
        path = self.paths[owner.offset] if owner.what == "expression" else None
        if path is not None and name in _PAIRS:
            self.uses.add((path, name))
        if name in {"release", "__aexit__"}:  # whether it is called or handed to somebody
            self._released(owner.offset if path is not None else None, walk)
        if called:
            if name == "acquire" and path is not None:
                walk.stack[-2] = Slot("acquire", owner.offset, str(at))
            elif name in _PASS_ON:
                walk.stack[-2] = Slot("through")
        elif name in _PASS_ON:
            walk.stack[-1] = Slot("through")
        elif path is not None:
            walk.stack[-1] = self.slot((*path, ("attr", name)))

    def _call(self, popped: list[Slot], arg: int, walk: Walk) -> None:
        """A call: what it was given no longer belongs to this function alone."""
        head = popped[:2]
        made = next((item for item in popped if item.what == "acquiring"), None)
        if arg == 0 and head[0].what == "acquire":
            walk.stack[-1] = Slot("acquiring", head[0].offset, head[0].name)
        elif made is not None and any(item.what == "through" for item in head):
            walk.stack[-1] = made
        given = {item.offset for item in popped if item.what == "expression"}
        paths = {self.paths[number] for number in given}
        self._end(walk, lambda path: path in paths)

    def _stored(self, name: str, arg: int, before: list[Slot], walk: Walk) -> None:
        if name in {"STORE_DEREF", "DELETE_DEREF"}:
            self.rebound(walk, ("deref", arg))
        elif name in {"STORE_GLOBAL", "DELETE_GLOBAL"}:
            self.rebound(walk, ("global", self.code.co_names[arg]))
        elif name in {"STORE_ATTR", "DELETE_ATTR"}:
            step = ("attr", self.code.co_names[arg])
            self._end(walk, lambda path: step in path)
        elif name in {"STORE_SUBSCR", "DELETE_SUBSCR"}:
            slot = before[-2]
            start = self.paths[slot.offset] if slot.what == "expression" else None
            self._end(
                walk,
                lambda path: (
                    any(step[0] == "item" for step in path)
                    and (start is None or path[: len(start)] == start)
                ),
            )

    def _released(self, number: int | None, walk: Walk) -> None:
        """An expression was given back; None: something, and nobody knows what."""
        for (what, of, _), bit in list(self.bits.items()):
            if what != "held" or not walk.sure >> bit & 1:
                continue
            if number is None or of == number:
                walk.sure &= ~(1 << bit)
            else:
                walk.maybe |= 1 << self._bit("unless", of, number)

    def _end(self, walk: Walk, ends: Callable[[Expression], bool]) -> None:
        """End the claims on expressions for which ``ends(expression)``."""
        for (what, of, _), bit in self.bits.items():
            if what == "held" and walk.sure >> bit & 1 and ends(self.paths[of]):
                walk.sure &= ~(1 << bit)

    def _bit(self, what: str, number: int, more: int) -> int:
        bit = self.bits.setdefault((what, number, more), self.base + len(self.bits))
        if len(self.bits) > MOST:
            raise StrangeCodeError
        return bit

    def _handed_over(self, path: Expression) -> bool:
        """Whether a function made here gives it back on its own: a callback of a task."""
        kind, value = path[0]
        if kind == "fast":
            return False
        name = value if kind == "global" else self.cells[value]
        return any(
            "release" in inner.co_names
            and "acquire" not in inner.co_names
            and (name in inner.co_freevars or (kind == "global" and name in inner.co_names))
            for inner in _inner(self.code)
        )

    def _line(self, at: int) -> int:
        lines = (line for start, end, line in self.code.co_lines() if start <= at < end)
        return next(lines, None) or self.code.co_firstlineno


def _roots(path: Expression) -> list[Step]:
    """Names that an expression depends on."""
    found = [path[0]]
    for kind, value in path[1:]:
        if kind == "item":
            found += _roots(value)
    return found


def _inner(code: CodeType) -> Iterator[CodeType]:
    """Functions made in a function, and those made in them."""
    for item in code.co_consts:
        if type(item) is CodeType:
            yield item
            yield from _inner(item)
