"""What can still wake the blocked tasks: local trial deletion, as the cycle collector does it.

Only what the blocked tasks refer to is visited. The references to each object from there are
counted and compared with its reference count. A surplus belongs to something else: a module,
a thread's frame, a timer, the selector, C code. All of these may still act, and need not be
known for that; so whatever is not understood counts as alive (``subtract_refs`` of CPython's
``Modules/gcmodule.c``, with the question turned around).

Weak references are followed as well, for asyncio's streams have their reader that way; but
not to tasks and async generators, of which asyncio has weak lists, nor our own.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import sys
import time
import types
import weakref
from array import array
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import chain, futures, heap, reach
from asyncconsole.capture.code import is_own, short
from asyncconsole.capture.exits import referents
from asyncconsole.capture.names import own_class
from asyncconsole.capture.objects import Types, attribute, module_of
from asyncconsole.model.autopsy import Wakes

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program

MOST = 3_000_000
"""Objects that are visited."""

SECONDS = 6.0
"""Seconds for the visit."""

_LINES = 2_000
"""Nodes in one line of the answer."""

_LEAVES = Types(
    *(str, int, float, complex, bytes, bytearray, bool, range, type(None), types.CodeType),
    *(types.WrapperDescriptorType, types.MethodDescriptorType, types.GetSetDescriptorType),
    *(types.MemberDescriptorType, type(NotImplemented), type(Ellipsis)),
)
_SHARED = (type, types.ModuleType)
"""What everybody has. It is not visited, so all that it refers to counts as alive."""

_LISTED = (*futures.TASKS, types.AsyncGeneratorType)
"""What asyncio keeps weak lists of; nobody looks into these to wake something."""

_MANAGER: Any = contextlib._AsyncGeneratorContextManager  # noqa: SLF001 - what the decorator makes
_MODULE_DICT: Any = vars(types.ModuleType)["__dict__"].__get__


_HOLDERS = Types(dict, list, tuple, set, frozenset, deque, types.MappingProxyType)
_DEEP = 4
_MOST_SHARED = 300_000
"""How far, and to how many objects, global variables are followed."""


class TooLargeError(Exception):
    """There is too much to visit."""


class _Visit:
    """Everything that the blocked tasks refer to.

    Args:
        closed: ``id`` of objects that are not visited.

    Attributes:
        things: The objects; nothing else here keeps them.
        at: Index in ``things`` by ``id``.
        counts: Strong references to each from the others.
        leads: For each the indices of what can be got from it.
    """

    def __init__(self, closed: set[int]) -> None:
        self._closed = closed
        self.things: list[Any] = []
        self.at: dict[int, int] = {}
        self.counts = array("q")
        self.leads: list[list[int]] = []

    def add(self, thing: Any) -> int:
        """The index of an object, a new one for a new object."""
        found = self.at.get(id(thing))
        if found is None:
            found = self.at[id(thing)] = len(self.things)
            self.things.append(thing)
            self.counts.append(0)
            self.leads.append([])
        return found

    def run(self, deadline: float) -> None:
        """Visit all that those added so far lead to.

        Raises:
            TooLargeError: That is too much.
        """
        things, leaves, closed, counts = self.things, _LEAVES.ids, self._closed, self.counts
        referents, weakly = gc.get_referents, weakref.getweakrefcount
        index = 0
        while index < len(things):
            if index % 4096 == 0 and (len(things) > MOST or time.monotonic() > deadline):
                msg = f"the blocked tasks refer to too much ({len(things):,} objects so far)"
                raise TooLargeError(msg)
            held = self.leads[index]
            for item in referents(things[index]):
                kind = type(item)
                if id(kind) in leaves or id(item) in closed or issubclass(kind, _SHARED):
                    continue
                found = self.add(item)
                counts[found] += 1
                held.append(found)
            if type(things[index]) is types.TracebackType:
                held.clear()  # counted, but nobody takes a lock or a future out of a traceback
            if weakly(things[index]) and not issubclass(type(things[index]), _LISTED):
                self._follow_weak(index)
            index += 1

    def _follow_weak(self, index: int) -> None:
        """Let the weak references to an object lead to it."""
        for reference in weakref.getweakrefs(self.things[index]):
            if not reach.ours(module_of(type(reference))):
                self.leads[self.add(reference)].append(index)

    def surplus(self) -> dict[int, int]:
        """How many references each has from elsewhere, where it has any."""
        plain = object()
        self.add(plain)
        del plain
        count, things = sys.getrefcount, self.things
        base = count(things[-1])  # by the list and the call
        found = {
            index: more
            for index, known in enumerate(self.counts)
            # Less than 0: the collector's view of it is not what we think it is.
            if (more := count(things[index]) - base - known)
        }
        found.pop(len(things) - 1, None)
        return found


class _Wakes:
    """Which futures can be got at, and from where."""

    name = "wakes"

    def tell(self, program: Program) -> Iterator[Any]:
        """Visit and judge, in the frozen copy.

        Yields:
            Pairs of a field of `Wakes` and some of its rows, each as often as need be.
        """
        deadline = time.monotonic() + SECONDS
        visit = _Visit(_closed(program))
        blocked: dict[int, tuple[int, int, int]] = {}
        stacks: dict[int, list[int]] = {}
        keeps: list[Any] = []
        tasks = heap.tasks(program.loops)
        while tasks:
            task = tasks.pop()
            number = program.tasks.known(task)
            future = futures.waiter(task)
            if number and future is not None and not futures.done(future):
                token = program.futures.known(future)
                index = visit.add(task)
                blocked[index] = number, token, id(future)
                owners = chain.walk(futures.coroutine(task)).owners
                stacks[index] = [id(owner) for owner in owners]
                keeps += [[number, *place] for owner in owners for place in _kept_by(owner)]
                del owners
            del task, future
        visit.run(deadline)
        surplus = visit.surplus()
        shared = _shared(visit, surplus)
        outside = set(surplus)
        # Only the task itself goes on with its coroutines, whoever else refers to them
        # (`asyncio.run` keeps the one that it was given).
        owns: dict[int, list[int]] = {}
        for index in blocked:
            owns[index] = visit.leads[index]
            for key in stacks[index]:
                owner = visit.at.get(key)
                if owner is not None:
                    owns[index] = owns[index] + visit.leads[owner]
                    visit.leads[owner] = []
        for index, thing in enumerate(visit.things):
            if issubclass(type(thing), futures.TASKS):
                if index in blocked:
                    visit.leads[index] = []  # its own only while it can move
                elif not futures.done(thing):
                    outside.add(index)  # about to run
        wanted = {visit.at[future] for _, _, future in blocked.values() if future in visit.at}
        graph = _Reduced(visit.leads, wanted)
        outer = {graph.node(index) for index in outside - shared if index in graph.leading}
        yield from _lines("outside", sorted(outer))
        common = {graph.node(index) for index in shared if index in graph.leading}
        yield from _lines("shared", sorted(common - outer))
        rows: list[Any] = [
            [number, token, graph.node(visit.at[future]), graph.nodes(owns[index])]
            for index, (number, token, future) in blocked.items()
            if future in visit.at
        ]
        yield from _lines("tasks", rows)
        yield from _lines("kept", _kept(visit, blocked))
        yield from _lines("keeps", keeps)
        yield from _lines("leads", [[node, after] for node, after in graph.edges() if after])

    def read(self, values: list[Any]) -> dict[str, Any]:
        """The model's view of it."""
        found: dict[str, list[Any]] = {
            "tasks": [],
            "leads": [],
            "outside": [],
            "shared": [],
            "kept": [],
            "keeps": [],
        }
        for kind, rows in values:
            found[kind] += rows
        return {
            "wakes": Wakes(
                tuple((n, token, node, tuple(own)) for n, token, node, own in found["tasks"]),
                tuple((node, tuple(after)) for node, after in found["leads"]),
                tuple(found["outside"] + found["shared"]),
                tuple(found["shared"]),
                tuple(found["kept"]),
                tuple((task, file, line, name) for task, file, line, name in found["keeps"]),
            )
        }


SCAN = _Wakes()


def _shared(visit: _Visit, surplus: dict[int, int]) -> set[int]:
    """Those whose references from elsewhere all come from the program's global variables.

    And from what these lead to in some steps, and from the attributes of its classes.
    """
    counts: dict[int, int] = {}
    level: list[Any] = []
    for name, space in reach.modules(own=is_own):
        if name == "__main__" or is_own(str(space.get("__file__") or "")):
            level.append(space)
            level += [item for item in space.values() if type(item) is type]
    seen = {id(item) for item in level}
    visited = 0
    for _ in range(_DEEP):
        following: list[Any] = []
        for thing in level:
            visited += 1
            if visited > _MOST_SHARED:
                return set()
            for item in gc.get_referents(thing):
                index = visit.at.get(id(item))
                if index is not None:
                    counts[index] = counts.get(index, 0) + 1
                elif id(type(item)) in _LEAVES.ids or id(item) in seen:
                    continue
                elif type(item) in _HOLDERS or own_class(type(item)):
                    seen.add(id(item))
                    following.append(item)
        level = following
    return {index for index, more in surplus.items() if more == counts.get(index)}


def _kept(visit: _Visit, blocked: dict[int, tuple[int, int, int]]) -> list[int]:
    """Numbers of the tasks whose future is in a container, a closure or an attribute."""
    waiting = {
        visit.at[future]: number for number, _, future in blocked.values() if future in visit.at
    }
    found: set[int] = set()
    for index, after in enumerate(visit.leads):
        thing = visit.things[index]
        if type(thing) in _HOLDERS or type(thing) is types.CellType or own_class(type(thing)):
            found.update(waiting[other] for other in after if other in waiting)
    return sorted(found)


def _kept_by(owner: Any) -> list[tuple[str, int, str]]:
    """Where suspended async generators stand that a coroutine's frame refers to.

    What is on its stack is the exit of a manager (``__aexit__``), whose generator is meant.
    """
    found = []
    for item in referents(owner):
        held = item.__self__ if type(item) is types.MethodType else item
        if type(held) is _MANAGER:
            held = attribute(held, "gen")
        if type(held) is not types.AsyncGeneratorType or held.ag_running:
            continue
        frame = held.ag_frame
        if frame is not None and is_own(frame.f_code.co_filename):
            code = frame.f_code
            name = short(getattr(code, "co_qualname", code.co_name))
            found.append((code.co_filename, frame.f_lineno or code.co_firstlineno, name))
    return found


def _closed(program: Program) -> set[int]:
    """``id`` of what is not visited: loops, and the namespaces of modules."""
    found = {id(builtins.__dict__), id(sys.modules), id(sys.__dict__)}
    for module in list(sys.modules.values()):
        if issubclass(type(module), types.ModuleType):
            found.add(id(_MODULE_DICT(module)))
    for fact in program.loops.find():
        loop = fact.reference()
        if loop is not None:
            found.add(id(loop))
    return found


def _lines(kind: str, rows: list[Any]) -> Iterator[Any]:
    for start in range(0, len(rows), _LINES):
        yield [kind, rows[start : start + _LINES]]


class _Reduced:
    """The part of a graph that leads to what is wanted, without its mere links.

    Args:
        leads: For each index where it leads.
        wanted: Indices that are looked for.

    Attributes:
        leading: Indices that lead to something wanted, and these themselves.
    """

    def __init__(self, leads: list[list[int]], wanted: set[int]) -> None:
        before: dict[int, list[int]] = {}
        for index, after in enumerate(leads):
            for other in after:
                before.setdefault(other, []).append(index)
        self.leading: set[int] = set(wanted)
        todo = list(wanted)
        while todo:
            for index in before.get(todo.pop(), ()):
                if index not in self.leading:
                    self.leading.add(index)
                    todo.append(index)
        self._after = {
            index: {other for other in leads[index] if other in self.leading and other != index}
            for index in self.leading
        }
        self._wanted = wanted
        self._alias: dict[int, int] = {}

    def node(self, index: int) -> int:
        """The node that stands for an index: the first on its way that is no mere link."""
        way = []
        while index not in self._alias:
            way.append(index)
            self._alias[index] = index  # ends a circle
            after = self._after[index]
            if index in self._wanted or len(after) != 1:
                break
            (index,) = after
        found = self._alias[index]
        for passed in way:
            self._alias[passed] = found
        return found

    def nodes(self, indices: list[int]) -> list[int]:
        """The nodes of those that lead somewhere."""
        return sorted({self.node(index) for index in indices if index in self.leading})

    def edges(self) -> Iterator[tuple[int, list[int]]]:
        """Each node with those it leads to."""
        for index in self.leading:
            if self.node(index) == index:
                yield index, self.nodes(list(self._after[index]))
