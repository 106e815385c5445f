"""``ps``: every task, what it waits for, and where."""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command, nearest
from asyncconsole.commands.port import Target
from asyncconsole.model import (
    Column,
    Flow,
    Gap,
    Line,
    Part,
    Result,
    Snapshot,
    Span,
    Table,
    Task,
    Text,
    Texts,
    UsageError,
    line,
)
from asyncconsole.model.task import KINDS

_KEYS = {
    "id": lambda task: task.id,
    "name": lambda task: task.name,
    "state": lambda task: (task.state, task.id),
    "since": lambda task: -(task.wait.since if task.wait is not None else 0.0),
    "where": lambda task: (task.where.file, task.where.line) if task.where else ("", 0),
    "age": lambda task: -(task.age or 0.0),
}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pattern", nargs="?", metavar="PATTERN", help="part of a name or coroutine, or a glob"
    )
    parser.add_argument("--state", choices=("running", "ready", "waiting", "sleeping"))
    parser.add_argument(
        "--waiting", metavar="KIND", help="lock, semaphore, queue_get, task, timer, ..."
    )
    parser.add_argument("--older", type=float, metavar="S", help="waiting for at least S seconds")
    parser.add_argument("--loop", type=int, metavar="N", help="only tasks of that loop")
    parser.add_argument("--sort", choices=sorted(_KEYS), default="id")
    parser.add_argument("--limit", type=int, metavar="N", help="show at most N rows, 0 for all")
    parser.add_argument("--group", action="store_true", help="one row for equal stacks")


PART = 500
"""Rows of a part of a sorted table."""

SCREENFUL = 1_000
"""Rows that a person gets who doesn't say how many."""


async def _run(target: Target, options: argparse.Namespace) -> Result:
    if options.limit is not None and options.limit < 0:
        msg = "ps: --limit takes a number of rows, or 0 for all."
        raise UsageError(msg)
    person = getattr(options, "person", False) and not options.json
    limit = SCREENFUL if options.limit is None and person else options.limit or None
    listing = _Listing(options, limit)
    pieces = target.stream(first=listing.first)
    start = await anext(pieces)
    try:
        _check(start, options)
        if options.group and not options.json:
            await listing.count(start, pieces)
            return Result({}, listing.blocks)
        if options.sort != "id":
            await listing.sort(start, pieces)
            return Result({}, flow=listing.flow(listing.one()))
    except BaseException:
        await pieces.aclose()  # type: ignore[attr-defined]  # a generator
        raise
    return Result({}, flow=listing.flow(listing.parts(start, pieces)))


class _Listing:
    """What is shown of the tasks, while they pass by.

    Args:
        options: Of the command.
        limit: Rows that are shown; None for all.
    """

    def __init__(self, options: argparse.Namespace, limit: int | None) -> None:
        self._options = options
        self._limit = limit
        self._filters = _filters(options)
        self._total = 0
        self._shown = 0
        self._gaps: list[Gap] = []
        self._groups: dict[tuple[str, str, str], _Group] = {}
        self._sorted: list[Task] = []
        plain = options.sort == "id" and not options.group and not self._filters
        self.first = limit if plain else None

    def _take(self, piece: Snapshot) -> list[Task]:
        """The tasks of a piece that the options let through."""
        self._gaps += piece.gaps
        found = _chosen(piece, self._options) if self._filters else list(piece.tasks)
        self._total = piece.total if self.first is not None else self._total + len(found)
        if self._options.group:
            places: dict[int, str] = {}
            for task in found:
                _group(task, self._groups, places)
        return found

    async def count(self, start: Snapshot, pieces: AsyncIterator[Snapshot]) -> None:
        """Only count what is alike."""
        self._take(start)
        async for piece in pieces:
            self._take(piece)

    async def sort(self, start: Snapshot, pieces: AsyncIterator[Snapshot]) -> None:
        """Have all tasks, in the order that is wanted."""
        found = self._take(start)
        async for piece in pieces:
            found += self._take(piece)
        self._sorted = sorted(found, key=_KEYS[self._options.sort])[: self._limit]

    async def one(self) -> AsyncIterator[Part]:
        """All that were sorted, in parts."""
        for start in range(0, max(1, len(self._sorted)), PART):
            yield self._part(self._sorted[start : start + PART])

    async def parts(self, start: Snapshot, pieces: AsyncIterator[Snapshot]) -> AsyncIterator[Part]:
        """Rows, piece by piece."""
        async with aclosing(pieces):  # type: ignore[type-var]  # a generator
            yield self._part(self._within(self._take(start)))
            async for piece in pieces:
                yield self._part(self._within(self._take(piece)))

    def _within(self, tasks: list[Task]) -> list[Task]:
        """As many as may still be shown."""
        return tasks if self._limit is None else tasks[: max(0, self._limit - self._shown)]

    def _part(self, tasks: list[Task]) -> Part:
        self._shown += len(tasks)
        return Part(
            lambda: [phrases.task_document(task) for task in tasks],
            lambda: _table(tasks),
            lambda: _texts(tasks),
        )

    def flow(self, parts: AsyncIterator[Part]) -> Flow:
        """The answer in parts."""
        return Flow("tasks", parts, self.document, ("schema",), self.blocks)

    def document(self) -> dict[str, object]:
        """All but the rows."""
        made: dict[str, object] = {
            "schema": "asyncconsole/tasks/1",
            "total": self._total,
            "shown": self._shown,
        }
        if self._options.group:
            made["groups"] = len(self._groups)
        return made

    def blocks(self) -> tuple[Table | Text, ...]:
        """What stands below the rows, or the groups and what stands below those."""
        gaps = phrases.missing(self._gaps)
        if self._options.group:
            table = _groups_table(self._groups, self._limit)
            groups = phrases.plural(len(self._groups), "group")
            footer = line(f"{phrases.plural(self._total, 'task')} in {groups}")
            return table, Text((footer, *gaps))
        less = f", {self._shown} shown" if self._shown < self._total else ""
        if less and self._options.limit is None:
            less += "; `ps --limit 0` shows all, `ps --group` counts those that are alike"
        return (Text((line(f"{phrases.plural(self._total, 'task')}{less}"), *gaps)),)


def _check(snapshot: Snapshot, options: argparse.Namespace) -> None:
    """Refuse a loop or kind of wait that there is not."""
    loops = [loop.id for loop in snapshot.loops]
    if options.loop is not None and options.loop not in loops:
        have = ", ".join(map(str, loops)) or "none"
        msg = f"ps: no loop {options.loop}; there is {have}. `loops` lists them."
        raise UsageError(msg)
    if options.waiting is not None:
        options.waiting = options.waiting.lower()
        if not any(kind.startswith(options.waiting) for kind in KINDS):
            guess = nearest(options.waiting, list(KINDS))
            hint = f"Did you mean `{guess}`?" if guess else f"There are: {', '.join(KINDS)}."
            msg = f"ps: no kind of wait `{options.waiting[:40]}`. {hint}"
            raise UsageError(msg)


def _filters(options: argparse.Namespace) -> bool:
    """True when not every task is wanted."""
    chosen = (options.pattern, options.state, options.waiting, options.older, options.loop)
    return any(option is not None for option in chosen)


def _chosen(snapshot: Snapshot, options: argparse.Namespace) -> list[Task]:
    """Tasks that the options let through."""
    found = []
    for task in snapshot.tasks:
        wait = task.wait
        if options.pattern and not _matches(task, options.pattern):
            continue
        if options.state and task.state != options.state:
            continue
        if options.waiting and (wait is None or not wait.kind.startswith(options.waiting)):
            continue
        if options.older is not None and (wait is None or wait.since < options.older):
            continue
        if options.loop is not None and task.loop != options.loop:
            continue
        found.append(task)
    return found


def _matches(task: Task, pattern: str) -> bool:
    if any(mark in pattern for mark in "*?"):
        return fnmatch.fnmatchcase(task.name, pattern) or fnmatch.fnmatchcase(task.coro, pattern)
    return pattern in task.name or pattern in task.coro


def _columns(tracked: bool) -> tuple[Column, ...]:
    columns: tuple[Column, ...] = (
        Column("ID", "right"),
        Column("STATE"),
        Column("NAME", least=12),
        Column("CORO", least=8, spare=True),
        Column("WAITING ON", least=12),
        Column("SINCE", "right"),
        Column("WHERE", least=12),
    )
    if tracked:
        columns += (Column("AGE", "right"),)
    return columns


def _texts(tasks: list[Task]) -> Texts:
    """What `_table` says."""
    tracked = any(task.age is not None for task in tasks)
    places: dict[int, str] = {}  # by id of the frames: thousands of tasks share a few
    for task in tasks:
        if id(task.frames) not in places:
            places[id(task.frames)] = "".join([span.text for span in phrases.spot(task.where)])
    cells: list[list[str]] = [
        [str(task.id) for task in tasks],
        [str(task.state) for task in tasks],
        [task.name for task in tasks],
        [task.coro for task in tasks],
        [phrases.waiting(task.wait) for task in tasks],
        [phrases.since(task.wait) for task in tasks],
        [places[id(task.frames)] for task in tasks],
    ]
    if tracked:
        cells.append([phrases.age(task.age, exact=True) for task in tasks])
    return Texts(_columns(tracked), tuple(cells))


def _table(tasks: list[Task]) -> Table:
    tracked = any(task.age is not None for task in tasks)
    columns = _columns(tracked)
    rows: list[tuple[tuple[Line, ...], ...]] = []
    states = {name: ((Span(name, style),),) for name, style in phrases.STATES.items()}
    places: dict[int, tuple[Line, ...]] = {}  # by id of the frame: thousands of tasks share a few
    for task in tasks:
        age = ((line(phrases.age(task.age, exact=True)),),) if tracked else ()
        where = task.where
        place = places.get(id(where))
        if place is None:
            place = places[id(where)] = (phrases.spot(where),)
        rows.append(
            (
                ((Span(str(task.id), "id"),),),
                states[task.state],
                ((Span(task.name, "name"),),),
                ((Span(task.coro),),),
                ((Span(phrases.waiting(task.wait)),),),
                ((Span(phrases.since(task.wait)),),),
                place,
                *age,
            )
        )
    return Table(columns, tuple(rows))


@dataclass(slots=True)
class _Group:
    """Tasks that are alike: how many, the first one, and ids of what they wait for."""

    example: Task
    count: int = 0
    items: set[str | None] = field(default_factory=set)


def _group(task: Task, groups: dict[tuple[str, str, str], _Group], places: dict[int, str]) -> None:
    """Count a task among those with the same state, wait and place.

    Args:
        task: What is counted.
        groups: Where it is counted.
        places: Of frames by their ``id``, as long as these live.
    """
    wait = task.wait
    what = "" if wait is None else "timer" if wait.kind == "timer" else phrases.thing(wait)
    frames = id(task.frames)
    where = places.get(frames)
    if where is None:
        where = places[frames] = "".join([span.text for span in phrases.spot(task.where)])
    key = (task.state, what, where)
    group = groups.get(key)
    if group is None:
        group = groups[key] = _Group(task)
    group.count += 1
    if wait is not None and len(group.items) <= 1:
        group.items.add(wait.resource)


def _groups_table(groups: dict[tuple[str, str, str], _Group], limit: int | None) -> Table:
    columns = (
        Column("TASKS", "right"),
        Column("STATE"),
        Column("WAITING ON", least=12),
        Column("WHERE", least=12),
        Column("EXAMPLE", least=8),
    )
    rows = []
    largest = sorted(groups.items(), key=lambda pair: -pair[1].count)
    for (state, what, _), group in largest[:limit]:
        task = group.example
        items = set(group.items)
        number = f" ({items.pop()})" if len(items) == 1 and None not in items else ""
        rows.append(
            (
                (line(str(group.count)),),
                (line((state, phrases.STATES.get(task.state, ""))),),
                (line(what + number),),
                (phrases.spot(task.where),),
                (line((task.name, "name"), f" ({task.id})"),),
            )
        )
    return Table(columns, tuple(rows))


COMMAND = Command(
    name="ps",
    aliases=("p",),
    summary="List tasks: state, what each waits for, since when, where.",
    run=_run,
    configure=_configure,
    deadline=30.0,
    examples=("ps", "ps --waiting lock", "ps transfer --sort since", "ps --group"),
)
