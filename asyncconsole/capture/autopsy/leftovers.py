"""What nobody lists: coroutines that never started, async generators left open, ended tasks.

All of these are found by looking at the whole heap.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import dis
import gc
import re
import sys
import types
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import chain, futures, heap, history, reach
from asyncconsole.capture.awaited import AWAITED
from asyncconsole.capture.code import is_own, short
from asyncconsole.capture.drafts import members
from asyncconsole.capture.exits import async_iterators, exits_in_force, referents
from asyncconsole.capture.holders import grip
from asyncconsole.capture.names import own_class
from asyncconsole.capture.objects import Types, attribute, class_name, instance_dict
from asyncconsole.capture.shapes import line_at
from asyncconsole.model import Frame
from asyncconsole.model.ended import Ended
from asyncconsole.model.leftovers import OpenGenerator, Unstarted

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program

MOST = 500
"""Coroutines and generators that are told of."""

MOST_ENDED = 1_000
"""Ended tasks that are told of."""

_GeneratorManager: Any = contextlib._AsyncGeneratorContextManager  # noqa: SLF001
_ROWS = Types(list, tuple, set, frozenset, deque, dict)
_WAITING = (asyncio.Handle, partial)
_NEVER = re.compile(r"coroutine '(.+)' was never awaited")


class _Leftovers:
    """Objects that no task uses now."""

    name = "leftovers"

    def tell(self, program: Program) -> Iterator[Any]:
        """Look at the heap, in the frozen copy.

        Yields:
            ``["ended", row]``, ``["unstarted", row]`` or ``["generator", row]``, the rows being
            the attributes of the model's classes.
        """
        gc.unfreeze()  # what a program has frozen is in no list
        coroutines: list[Any] = []
        generators: list[Any] = []
        tasks: list[Any] = []
        for thing in gc.get_objects():
            kind = type(thing)
            if kind is types.CoroutineType:
                if unstarted(thing) and is_own(thing.cr_code.co_filename):
                    coroutines.append(thing)
            elif kind is types.AsyncGeneratorType:
                if thing.ag_frame is not None:
                    generators.append(thing)
            elif issubclass(kind, futures.TASKS) and futures.done(thing):
                tasks.append(thing)
        yield from _ended(program, tasks)
        live = heap.tasks(program.loops)
        yield from _unstarted(program, coroutines, live)
        yield from _open(program, generators, live)

    def read(self, values: list[Any]) -> dict[str, Any]:
        """The model's view of it."""
        found: dict[str, list[Any]] = {"ended": [], "unstarted": [], "generator": []}
        for kind, row in values:
            found[kind].append(row)
        return {
            "ended": tuple(_task(row) for row in found["ended"]),
            "unstarted": tuple(
                Unstarted(
                    **{
                        **row,
                        "created": tuple(Frame(**frame) for frame in row["created"]),
                        "hands": tuple(row["hands"]),
                    }
                )
                for row in found["unstarted"]
            ),
            "generators": tuple(
                OpenGenerator(**{**row, "holds": tuple((n, at) for n, at in row["holds"])})
                for row in found["generator"]
            ),
        }


SCAN = _Leftovers()


def unstarted(coroutine: Any) -> bool:
    """True for a coroutine that was made and has not run yet."""
    frame = coroutine.cr_frame
    if frame is None or coroutine.cr_running:
        return False
    if sys.version_info >= (3, 11):
        return not coroutine.cr_suspended
    return bool(frame.f_lasti == -1)


def _task(row: dict[str, Any]) -> Ended:
    raised = Frame(**row["raised"]) if row["raised"] is not None else None
    return Ended(**{**row, "creation": (), "raised": raised})


def _ended(program: Program, tasks: list[Any]) -> Iterator[Any]:
    """Ended tasks that something still refers to; those that failed first.

    One that nobody has numbered yet has its address, negative, for an id.
    """
    rows = []
    for task in tasks:
        if program.loops.ignores(futures.loop(task)):
            continue
        item = history.ended(task, program.tasks.known(task) or -id(task))
        rows.append((item.outcome == "returned", item))
    rows.sort(key=lambda row: row[0])
    for _, item in rows[:MOST_ENDED]:
        yield ["ended", dataclasses.asdict(item)]


def _unstarted(program: Program, coroutines: list[Any], live: list[Any]) -> Iterator[Any]:
    """Coroutines that nobody has begun to await, and those that were dropped unawaited."""
    started = {id(futures.coroutine(task)) for task in live}
    left = {id(item): item for item in coroutines if id(item) not in started}
    hands = _hands(program, left, live) if left else {}
    for count, (key, item) in enumerate(left.items()):
        if count == MOST:
            break
        kept = _kept(item, [left, coroutines])
        if kept is None:
            continue
        code = item.cr_code
        created = [
            dataclasses.asdict(Frame(file, line, name, is_own(file), "call"))
            for file, line, name in item.cr_origin or ()
        ]
        function = short(item.__qualname__)
        row = Unstarted(function, code.co_filename, code.co_firstlineno, (), kept)
        yield [
            "unstarted",
            {**dataclasses.asdict(row), "created": created, "hands": sorted(hands.get(key, ()))},
        ]
    yield from _dropped()


def _dropped() -> Iterator[Any]:
    """Coroutines that Python has warned of.

    Each warning that was shown is noted in the module that it is about (``warn_explicit`` of
    CPython's ``_warnings.c``).
    """
    for _, space in reach.modules(own=is_own):
        registry = space.get("__warningregistry__")
        file = space.get("__file__")
        if type(registry) is not dict or type(file) is not str or not is_own(file):
            continue
        for key in list(registry):
            if type(key) is not tuple or len(key) != 3 or type(key[0]) is not str:  # noqa: PLR2004 - text, class, line
                continue
            match = _NEVER.match(key[0])
            if match and type(key[2]) is int:
                function = short(match.group(1))
                row = Unstarted(function, file, key[2], dropped=True)
                yield ["unstarted", dataclasses.asdict(row)]


def _hands(program: Program, left: dict[int, Any], live: list[Any]) -> dict[int, set[int]]:
    """By coroutine, the tasks whose code names a variable or attribute that leads to it."""
    found: dict[int, set[int]] = {}
    for task in live:
        number = program.tasks.known(task)
        for owner in chain.walk(futures.coroutine(task)).owners:
            code = getattr(owner, "cr_code", None) or getattr(owner, "ag_code", None)
            if type(code) is not types.CodeType or not _awaits_variables(code):
                continue
            for item in _named(referents(owner), code.co_names):
                if id(item) in left:
                    found.setdefault(id(item), set()).add(number)
    return found


def _awaits_variables(code: types.CodeType) -> bool:
    """True when a function awaits what it has got from somewhere, or hands coroutines on."""
    if not _STARTS.isdisjoint(code.co_names):
        return True
    before = ""
    for step in dis.get_instructions(code):
        if step.opname == "GET_AWAITABLE":
            if before.startswith(("LOAD_", "COPY", "BINARY_")):
                return True
        elif step.opname not in _FILLERS:
            before = step.opname
    return False


_STARTS = frozenset(
    {
        *("create_task", "ensure_future", "gather", "wait", "wait_for", "shield", "as_completed"),
        *("run_until_complete", "run_coroutine_threadsafe", "send", "Task", "start_soon", "run"),
        *("pop", "popleft", "popitem", "get", "get_nowait", "next", "spawn", "submit", "put"),
    }
)
_FILLERS = frozenset({"CACHE", "NOP", "EXTENDED_ARG", "PUSH_NULL", "NOT_TAKEN", "PRECALL"})


def _named(held: list[Any], names: tuple[str, ...]) -> Iterator[Any]:
    """What local variables are, have in them, or have in attributes of these names."""
    for item in held:
        value = item
        if type(item) is types.CellType:
            try:
                value = item.cell_contents
            except ValueError:
                continue
        yield from _within(value)
        if own_class(type(value)):
            for name in names:
                yield from _within(attribute(value, name))


def _within(value: Any, depth: int = 2) -> Iterator[Any]:
    """A value, what is in it, and in what is in it; queues count as what they hold."""
    yield value
    if depth and issubclass(type(value), asyncio.Queue):
        value = attribute(value, "_queue")
    if depth and type(value) in _ROWS:
        for item in list(value) if type(value) is deque else members(value):
            yield from _within(item, depth - 1)


def _kept(thing: Any, ignored: list[Any]) -> str | None:
    """What refers to an object, in words; None when something is about to use it."""
    words = ""
    for holder in gc.get_referrers(thing):
        if any(holder is item for item in ignored) or type(holder) is types.FrameType:
            continue
        if type(holder) not in _ROWS or type(holder) is dict:
            words = words or _attribute(holder, thing)
        if type(holder) not in _ROWS:
            continue
        for outer in gc.get_referrers(holder):
            if issubclass(type(outer), _WAITING):
                return None
            if not any(outer is item for item in ignored):
                words = words or _attribute(outer, holder)
    return words


def _attribute(holder: Any, thing: Any) -> str:
    """``Session.exit_hooks``, for an object with such an attribute, or the dictionary of one."""
    owners = [holder]
    if type(holder) is dict:
        owners = [item for item in gc.get_referrers(holder) if own_class(type(item))]
    for owner in owners:
        if own_class(type(owner)):
            for name, value in instance_dict(owner).items():
                if value is thing:
                    return f"{class_name(type(owner))}.{name}"
    return ""


def _open(program: Program, generators: list[Any], live: list[Any]) -> Iterator[Any]:
    """Async generators that hold something, and that no task is about to go on with."""
    holding = []
    for item in generators:
        frame = item.ag_frame
        if (
            frame is None
            or frame.f_back is not None
            or AWAITED[type(item)](item, frame) is not None
        ):
            continue  # somebody awaits its next item
        line = line_at(item.ag_code, frame.f_lasti)
        level = chain.Level(item, item.ag_code, line, "async_generator")
        held = [
            (f"L{number}", one.line)
            for one in grip(chain.Chain([level])).held
            if (number := program.things.known(one.thing))
        ]
        if held:
            holding.append((item, line, held))
    if not holding:
        return
    used = _used(live)
    for item, line, held in holding[:MOST]:
        if id(item) in used:
            continue
        file = item.ag_code.co_filename
        kept = _kept(item, [generators, holding]) or ""
        row = OpenGenerator(short(item.__qualname__), file, line, tuple(held), kept)
        yield ["generator", dataclasses.asdict(row)]


def _used(live: list[Any]) -> set[int]:
    """``id`` of the async generators that frames of tasks iterate, or are inside of."""
    todo = [owner for task in live for owner in chain.walk(futures.coroutine(task)).owners]
    found: set[int] = set()
    while todo:
        owner = todo.pop()
        if id(owner) in found:
            continue
        found.add(id(owner))
        todo += async_iterators(owner)
        for item in exits_in_force(owner) or ():
            manager = item.manager
            if issubclass(type(manager), _GeneratorManager):
                todo.append(attribute(manager, "gen"))
            elif issubclass(type(manager), contextlib.AsyncExitStack):
                todo += [
                    attribute(bound.__self__, "gen")
                    for pair in list(attribute(manager, "_exit_callbacks") or ())
                    if type(pair) is tuple
                    for bound in pair
                    if type(bound) is types.MethodType
                    and issubclass(type(bound.__self__), _GeneratorManager)
                ]
    return found
