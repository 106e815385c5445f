"""What a suspended task holds, from the exits in force on its frames.

A suspended coroutine keeps, on its frame's stack, the exit of each ``async with``
it is inside of. ``exits.exits_in_force`` reads which of them are really in force;
here they are followed through ``@asynccontextmanager``, ``AsyncExitStack`` and
async generators to the primitives behind them. That is certain. What a frame took by
an explicit ``acquire`` (``flow.py``), and what a class with ``__aenter__`` and
``__aexit__`` of its own took inside of them, is only likely.
"""

from __future__ import annotations

import asyncio
import contextlib
import types
from collections import deque
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from asyncconsole.capture import libraries
from asyncconsole.capture.chain import Chain, Level
from asyncconsole.capture.code import code_facts
from asyncconsole.capture.exits import async_iterators, bare, empty, exits_in_force
from asyncconsole.capture.flow import taken, wrapped
from asyncconsole.capture.objects import attribute, method_code
from asyncconsole.capture.readers import reader_for
from asyncconsole.capture.shapes import Spot
from asyncconsole.capture.waiting import timer_in
from asyncconsole.model import Frame

DEEPEST = 20
"""Context managers inside context managers that are followed."""

_GeneratorManager: Any = contextlib._AsyncGeneratorContextManager  # noqa: SLF001
_ExitStack: Any = contextlib.AsyncExitStack
TaskGroup: Any = getattr(asyncio, "TaskGroup", type(None))  # 3.11+


@dataclass(slots=True)
class Held:
    """A primitive in force on one level of a chain.

    Attributes:
        thing: The primitive that is held (a Condition's lock, not the Condition).
        through: The object that the ``async with`` names, when another.
        level: Index of the level that took it.
        line: Line of the ``async with``.
        span: Source range of its expression, when known.
        how: See `asyncconsole.model.Hold.how`.
        certain: See `asyncconsole.model.Hold.certain`.
        provable: False when a proof must not rest on it, certain or not.
        since: Monotonic time at which it was taken, when recorded.
        site: Where it was taken, when no level of the chain did.
        item: What is held of a pool: a connection; None of anything else.
    """

    thing: Any
    through: Any
    level: int
    line: int
    span: tuple[int, int, int, int] | None
    how: str
    certain: bool
    provable: bool = True
    since: float | None = None
    site: Frame | None = None
    item: Any = None


@dataclass(slots=True)
class Grip:
    """Everything in force on one chain.

    Attributes:
        held: Primitives, in the order they were taken.
        due: Loop times at which timeouts in force fire.
        unread: Why some level could not be read, or "".
        releases: Code of the program's own on these frames may release something.
        children: Tasks of the TaskGroups that the frames are inside of.
    """

    held: list[Held] = field(default_factory=list)
    due: list[float] = field(default_factory=list)
    unread: str = ""
    releases: bool = False
    children: list[Any] = field(default_factory=list)


def grip(chain: Chain) -> Grip:
    """What the frames of a chain hold and which timeouts are in force on them."""
    found = Grip()
    for index, level in enumerate(chain.levels):
        _acquired(level.owner, level.code, index, None, found)
        if not bare(level.code):
            _read(level.owner, index, level, found, "stack")
            for iterator in async_iterators(level.owner):
                if type(iterator) is not types.AsyncGeneratorType:
                    continue  # an object with methods: it has no frame between its items
                if not any(iterator is other.owner for other in chain.levels):
                    _read(iterator, index, level, found, "generator")
                    _acquired(iterator, iterator.ag_code, index, level.line, found)
        if code_facts(level.code).releases:
            _doubt(found)
        _use(chain, index, found)
    _attribute(chain, found)
    return found


def _use(chain: Chain, index: int, found: Grip) -> None:
    """What a suspended function of a library has of its pool."""
    level = chain.levels[index]
    for loan in libraries.used(level.owner, level.code):
        _lend(loan, Held(None, None, index, level.line, None, "use", certain=True), found)


def _attribute(chain: Chain, found: Grip) -> None:
    """What a library took of its pool was taken by the program's line that called it."""
    for held in found.held:
        if held.item is None or code_facts(chain.levels[held.level].code).own:
            continue
        for index in range(held.level, -1, -1):
            if code_facts(chain.levels[index].code).own:
                held.level, held.line, held.span = index, chain.levels[index].line, None
                break


def _lend(loan: libraries.Loan, held: Held, found: Grip) -> None:
    """Take in what is held of a pool, once."""
    if loan.item is not None and any(other.item is loan.item for other in found.held):
        return
    held.thing = held.through = loan.thing
    held.item = loan.item
    found.held.append(held)


def idle(spots: tuple[Spot, ...], codes: list[CodeType]) -> bool:
    """True when `grip` finds nothing on any stack that stands like that.

    Code of installed packages is always read: it may hold in ways of its own. What asyncio's
    own code acquires is never counted as taken by it: see `taken`.
    """
    return all(
        (spot.facts.asyncio or (spot.facts.own and "acquire" not in code.co_names))
        and empty(code, spot.at)
        for spot, code in zip(spots, codes, strict=True)
    )


def _doubt(found: Grip) -> None:
    """Code further in releases something: it may be what was taken so far."""
    found.releases = True
    for held in found.held:
        # A pool knows itself whether a connection is out.
        held.certain = held.certain and held.item is not None


def _acquired(owner: Any, code: types.CodeType, index: int, line: int | None, found: Grip) -> None:
    """What one frame took by explicit acquire; ``line``: where the task's own frame is."""
    for item in taken(owner, code):
        reader = reader_for(item.thing)
        if reader is not None and reader.lends:
            continue  # a pool tells itself what is out; to whom must not be guessed
        held = reader.guards(item.thing) if reader is not None else item.thing
        at = item.line if line is None else line
        found.held.append(Held(held, item.thing, index, at, None, "flow", certain=False))


def _read(owner: Any, index: int, level: Level, found: Grip, how: str) -> None:
    exits = exits_in_force(owner)
    if exits is None:
        found.unread = found.unread or "a frame of it runs, or can't be read with certainty"
        return
    for item in exits:
        held = Held(None, None, index, item.line, item.span, how, certain=True)
        if how == "generator":  # the line in the task's own frame that iterates it
            held.line, held.span = level.line, None
        _expand(item.manager, held, found, level)


def _expand(manager: Any, held: Held, found: Grip, level: Level, depth: int = 0) -> None:
    """Follow one context manager to the primitives and timers behind it."""
    if depth > DEEPEST:
        return
    reader = reader_for(manager)
    if reader is not None and reader.holdable:
        held.thing = reader.guards(manager)
        held.through = manager
        held.certain = held.certain and reader.trusted(manager)
        found.held.append(held)
        return
    loans = libraries.lent(manager)
    if loans is None and issubclass(type(manager), _GeneratorManager):
        generator = attribute(manager, "gen")
        if type(generator) is types.AsyncGeneratorType:
            loans = libraries.used(generator, generator.ag_code) or None
    if loans is not None:
        for loan in loans:
            copy = Held(None, None, held.level, held.line, held.span, held.how, held.certain)
            _lend(loan, copy, found)
        return
    if any(code_facts(code).releases for code in _codes(manager)):
        _doubt(found)
    if issubclass(type(manager), TaskGroup):
        children = attribute(manager, "_tasks")
        found.children += list(children) if type(children) is set else []
    for inner in _inside(manager):
        copy = Held(None, None, held.level, held.line, held.span, held.how, held.certain)
        _expand(inner, copy, found, level, depth + 1)
    if issubclass(type(manager), _GeneratorManager):
        generator = attribute(manager, "gen")
        if type(generator) is types.AsyncGeneratorType:
            _acquired(generator, generator.ag_code, held.level, held.line, found)
    elif not issubclass(type(manager), _ExitStack):
        _wrapped(manager, held, found)
    due = timer_in(manager)
    if due is not None:
        found.due.append(due)


def _codes(manager: Any) -> list[types.CodeType]:
    """Code of a hand-written context manager, or of the generator behind one."""
    if issubclass(type(manager), _GeneratorManager):
        generator = attribute(manager, "gen")
        return [generator.ag_code] if type(generator) is types.AsyncGeneratorType else []
    found = [method_code(type(manager), name) for name in ("__aenter__", "__aexit__")]
    return [code for code in found if code is not None]


def _wrapped(manager: Any, held: Held, found: Grip) -> None:
    """Locks that a class takes in its ``__aenter__`` and gives back in its ``__aexit__``."""
    cls = type(manager)
    for name in wrapped(method_code(cls, "__aenter__"), method_code(cls, "__aexit__")):
        thing = attribute(manager, name)
        reader = reader_for(thing)
        if reader is not None and reader.holdable and not reader.lends:
            lock = reader.guards(thing)
            inside = Held(lock, thing, held.level, held.line, held.span, "inside", certain=False)
            found.held.append(inside)


def _inside(manager: Any) -> list[Any]:
    """Context managers that another one has entered and will exit."""
    if issubclass(type(manager), _GeneratorManager):
        generator = attribute(manager, "gen")
        exits = exits_in_force(generator) if type(generator) is types.AsyncGeneratorType else None
        return [item.manager for item in exits or ()]
    if issubclass(type(manager), _ExitStack):
        callbacks = attribute(manager, "_exit_callbacks")
        if type(callbacks) is not deque:
            return []
        bound = [pair[1] for pair in list(callbacks) if type(pair) is tuple and len(pair) == 2]  # noqa: PLR2004 - (is_sync, callback)
        return [item.__self__ for item in bound if type(item) is types.MethodType]
    return []
