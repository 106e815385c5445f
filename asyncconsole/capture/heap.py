"""Every primitive of the program, also those that no task waits for or holds.

`tell` finds them all by looking at the whole heap; that takes a second for each million
objects and so is done in a frozen copy (`capture.frozen`), which sends what it found to
the program. There `Told` finds the living objects again. `reachable` does without a
copy: it lists what modules and tasks lead to.
"""

from __future__ import annotations

import gc
import json
import time
import types
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from asyncconsole.capture import futures, names, reach, registry
from asyncconsole.capture.code import is_own, short
from asyncconsole.capture.exits import referents
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.loops import LoopBook
from asyncconsole.capture.objects import attribute, module_of
from asyncconsole.capture.readers import Facts, reader_for
from asyncconsole.capture.slices import finish
from asyncconsole.capture.waits import describe
from asyncconsole.model import Resource

MOST = 10_000
"""Primitives that are listed; more are counted."""

MOST_REACHED = 1_000_000
"""Objects visited in search of them where there is no copy."""

MOST_NAMED = 300_000
"""Values that the copy looks at in search of names."""

SEARCH = 6.0
"""Seconds that the copy looks for what leads to them."""

_PIECE = 1 << 16
_COROUTINES = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)
_CODES = ("cr_code", "gi_code", "ag_code")


def listed(thing: Any) -> bool:
    """True for what tasks can wait for: locks, events, queues; not locks of threads."""
    reader = reader_for(thing)
    return reader is not None and not reader.title.startswith("threading.")


# In the copy.


def tell(numbers: Numbers, loops: LoopBook) -> Iterator[bytes]:
    """Find every primitive of the heap and how to get to it, as lines of JSON.

    Runs in the frozen copy: takes no lock, keeps everything alive, may be slow.

    Args:
        numbers: Numbers of the primitives that have been seen before.
        loops: The loops, to leave out the console's own.
    """
    gc.unfreeze()  # what a program has frozen is in no list
    objects = gc.get_objects()
    things, running, own = _sort(objects, loops)
    things = [thing for thing in things if id(thing) not in own]
    shown = {id(thing): thing for thing in things[:MOST]}
    parents: dict[int, int] = {}
    roots = [*(space for _, space in reach.modules(own=is_own)), *running]
    search = reach.walk(
        roots,
        lambda thing: id(thing) in shown,
        most=len(objects) * 2,
        enough=len(shown),
        parents=parents,
    )
    until = time.monotonic() + SEARCH
    for _ in search:
        if time.monotonic() > until:
            break
    titles = finish(names.search(shown, {}, most=MOST_NAMED))
    owners = {id(thing): thing for thing in objects if type(thing) in _COROUTINES}
    lines = [json.dumps({"total": len(things), "objects": len(objects)})]
    size = 0
    sent: set[int] = set()
    for thing in shown.values():
        lines.append(json.dumps(_line(thing, numbers.known(thing), titles, parents, owners, sent)))
        size += len(lines[-1])
        if size > _PIECE:
            yield ("\n".join(lines) + "\n").encode()
            lines, size = [], 0
    yield ("\n".join(lines) + "\n").encode()


def _sort(objects: list[Any], loops: LoopBook) -> tuple[list[Any], list[Any], set[int]]:
    """Primitives, tasks, and addresses of primitives that belong to the console or to others."""
    things: list[Any] = []
    tasks: list[Any] = []
    hidden: set[int] = set()
    kinds: dict[type, str] = {}
    for thing in objects:
        kind = kinds.get(type(thing))
        if kind is None:
            kind = kinds[type(thing)] = _kind(thing)
        if not kind:
            continue
        if kind == "thing":
            things.append(thing)
            reader = reader_for(thing)
            hidden.update(id(part) for part in (reader.parts(thing) if reader else ()))
            if loops.ignores(attribute(thing, "_loop")):
                hidden.add(id(thing))
        elif kind == "task":
            if not futures.done(thing) and not loops.ignores(futures.loop(thing)):
                tasks.append(thing)
        elif kind == "console" or _console_code(thing):
            held = gc.get_referents(thing) if kind == "console" else referents(thing)
            for item in held:
                hidden.add(id(item))
                if type(item) is dict:
                    hidden.update(id(value) for value in item.values())
    return things, tasks, hidden


def _kind(thing: Any) -> str:
    if listed(thing):
        return "thing"
    if futures.is_task(thing):
        return "task"
    if type(thing) in _COROUTINES:
        return "coroutine"
    # What a capture or the tracker refers to is the program's.
    module = module_of(type(thing))
    theirs = module.startswith(("asyncconsole.capture", "asyncconsole.track"))
    return "console" if reach.ours(module) and not theirs else ""


def _console_code(coroutine: Any) -> bool:
    code = next(getattr(coroutine, name) for name in _CODES if hasattr(coroutine, name))
    return _PACKAGE in code.co_filename and not is_own(code.co_filename)


_PACKAGE = __file__.rpartition("capture")[0]


def _line(
    thing: Any,
    number: int,
    titles: dict[int, str],
    parents: dict[int, int],
    owners: dict[int, Any],
    sent: set[int],
) -> dict[str, Any]:
    """What the program is told of one primitive."""
    key = id(thing)
    title = titles.get(key) or _clue(key, parents, owners)
    if number:
        return {"at": key, "number": number, "name": title}
    facts = _facts(thing)
    steps = []
    inner, outer = key, parents.get(key)
    while outer is not None and inner not in sent:
        steps.append([outer, inner])
        sent.add(inner)
        inner, outer = outer, parents.get(outer)
    return {
        "at": key,
        "class": id(type(thing)),
        "type": describe(thing),
        "name": title,
        "state": facts.state,
        "locked": facts.locked,
        "permits": facts.permits,
        "details": facts.details,
        "steps": steps,
    }


def _facts(thing: Any) -> Facts:
    reader = reader_for(thing)
    try:
        return reader.read(thing) if reader is not None else Facts("?")
    except Exception as broken:  # a reader that fails is said so in its row
        return Facts(f"unreadable: {type(broken).__name__}")


def _clue(key: int, parents: dict[int, int], owners: dict[int, Any]) -> str:
    """Where it was seen, for what no name leads to."""
    outer = parents.get(key)
    if outer is None:
        return "unnamed, nothing was found that leads to it"
    for _ in range(3):  # in a frame, in a container, in an object
        if outer in owners:
            return f"unnamed, local of {short(owners[outer].__qualname__)}()"
        outer = parents.get(outer, 0)
    return "unnamed"


# In the program.


def tasks(loops: LoopBook) -> list[Any]:
    """The program's tasks, not numbered: that is dear where there are very many."""
    live = [loop for fact in loops.find() if (loop := fact.reference()) is not None]
    return [task for task in registry.tasks(live) if not loops.ignores(futures.loop(task))]


@dataclass(slots=True)
class Told:
    """What a copy has told.

    Attributes:
        total: Primitives of the heap.
        objects: Objects of the heap.
        lines: A dictionary for each primitive, see `tell`.
    """

    total: int = 0
    objects: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)

    def take(self, data: bytes) -> Generator[None, None, None]:
        """Take in the whole answer."""
        for index, text in enumerate(data.splitlines()):
            if index % 200 == 0:
                yield
            line = json.loads(text)
            if "total" in line:
                self.total, self.objects = line["total"], line["objects"]
            else:
                self.lines.append(line)

    def find(
        self, numbers: Numbers, tasks: list[Any]
    ) -> Generator[None, None, list[tuple[Any, str]]]:
        """The living objects, with their names; those that are not found stay in ``lines``."""
        live = dict(numbers.live())
        found = []
        steps: dict[int, set[int]] = {}
        wanted: dict[int, int] = {}
        for line in self.lines:
            if "number" in line:
                if line["number"] in live:
                    found.append((live[line["number"]], line["name"]))
                continue
            wanted[line["at"]] = line["class"]
            for outer, inner in line["steps"]:
                steps.setdefault(outer, set()).add(inner)
        starts = {id(task): task for task in tasks}
        starts.update((id(space), space) for _, space in reach.modules(own=is_own))
        reached = yield from reach.follow(starts, steps, wanted)
        left = []
        for line in self.lines:
            if "number" in line:
                continue
            thing = reached.get(line["at"])
            if thing is not None:
                found.append((thing, line["name"]))
            else:
                left.append(line)
        self.lines = left
        return found

    def rest(self, numbers: Numbers) -> list[Resource]:
        """Rows for those that nothing leads to and that have not been met otherwise."""
        known = {(id(thing), id(type(thing))) for _, thing in numbers.live()}
        rows: list[Resource] = []
        for line in self.lines:
            if (line["at"], line["class"]) not in known:
                rows.append(
                    Resource(
                        id=f"X{len(rows) + 1}",
                        type=line["type"],
                        name=line["name"],
                        state=line["state"],
                        locked=line["locked"],
                        permits=line["permits"],
                        details=tuple((name, value) for name, value in line["details"]),
                    )
                )
        return rows


def reachable(tasks: list[Any]) -> Generator[None, None, list[tuple[Any, str]]]:
    """Primitives that the program's own modules, its tasks, then other modules lead to."""
    mine = [space for _, space in reach.modules(own=is_own)]
    found = yield from reach.walk([*mine, *tasks], listed, most=MOST_REACHED, enough=MOST)
    hidden = {id(part) for thing in found for part in _parts(thing)}
    return [(thing, "unnamed") for thing in found if id(thing) not in hidden]


def _parts(thing: Any) -> tuple[Any, ...]:
    reader = reader_for(thing)
    return reader.parts(thing) if reader is not None else ()
