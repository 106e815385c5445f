"""The tables of ``top``: which rows a snapshot gives, in which order, and what their cells say."""

from __future__ import annotations

import operator
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from asyncconsole.commands import phrases
from asyncconsole.commands.locks import held_by
from asyncconsole.commands.port import Scope
from asyncconsole.model import Column, Line, Loop, Resource, Snapshot, Span, Task, line


@dataclass(frozen=True, slots=True)
class Field:
    """One column.

    Attributes:
        column: How it looks.
        cell: What it says of an item.
        order: What its items are sorted by.
        falling: True when the largest come first.
        narrow: True when narrow windows show it, too.
    """

    column: Column
    cell: Callable[[Any], Line]
    order: Callable[[Any], Any]
    falling: bool = False
    narrow: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """One kind of table.

    Attributes:
        name: What its rows are, in the plural.
        scope: What a snapshot must contain for it.
        items: What of a snapshot has a row.
        key: What stays the same of an item from one snapshot to the next.
        words: What a filter looks for in.
        opens: The command that tells more about an item.
        fields: Its columns.
        sort: Index of the column that it is sorted by at first.
    """

    name: str
    scope: Scope
    items: Callable[[Snapshot], Sequence[Any]]
    key: Callable[[Any], str]
    words: Callable[[Any], str]
    opens: Callable[[Any], str]
    fields: tuple[Field, ...]
    sort: int


@dataclass(frozen=True, slots=True)
class Alike:
    """Tasks with the same state, wait and place."""

    state: str
    what: str
    example: Task
    count: int


@dataclass(frozen=True, slots=True)
class Lap:
    """A loop and the name of the task that it runs."""

    loop: Loop
    running: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Sorted and filtered rows.

    Attributes:
        view: Whose rows they are.
        items: One for each row.
        total: How many there were before the filter.
        sort: Index of the column that they are sorted by.
        falling: True when the largest come first.
        read: False while nothing has been looked at yet.
    """

    view: View
    items: Sequence[Any]
    total: int
    sort: int
    falling: bool
    read: bool = True

    def find(self, key: str) -> int | None:
        """Index of the row with that key."""
        of = self.view.key
        return next((index for index, item in enumerate(self.items) if of(item) == key), None)


def arrange(view: View, snapshot: Snapshot, pattern: str, sort: int, *, falling: bool) -> Sheet:
    """The rows of a view, filtered and sorted."""
    items = list(view.items(snapshot))
    total = len(items)
    if pattern:
        wanted = pattern.lower()
        items = [item for item in items if wanted in view.words(item).lower()]
    items.sort(key=view.fields[sort].order, reverse=falling)
    return Sheet(view, items, total, sort, falling)


def _task_id(task: Task) -> str:
    return str(task.id)


def _task_words(task: Task) -> str:
    where = "".join(span.text for span in phrases.spot(task.where))
    return f"{task.id} {task.state} {task.name} {task.coro} {phrases.waiting(task.wait)} {where}"


def _task_since(task: Task) -> float:
    return task.wait.since if task.wait is not None else -1.0


def _task_where(task: Task) -> tuple[str, int]:
    where = task.where
    return (where.file, where.line) if where is not None else ("", 0)


TASKS = View(
    "tasks",
    "tasks",
    lambda snapshot: snapshot.tasks,
    _task_id,
    _task_words,
    lambda task: f"where {task.id}",
    (
        Field(Column("ID", "right"), lambda t: line((str(t.id), "id")), operator.attrgetter("id")),
        Field(
            Column("STATE"),
            lambda t: line((t.state, phrases.STATES.get(t.state, ""))),
            operator.attrgetter("state"),
            narrow=False,
        ),
        Field(
            Column("NAME", least=8), lambda t: line((t.name, "name")), operator.attrgetter("name")
        ),
        Field(
            Column("WAITING ON", least=10),
            lambda t: line(phrases.waiting(t.wait)),
            lambda t: phrases.waiting(t.wait),
        ),
        Field(
            Column("SINCE", "right"),
            lambda t: line(phrases.since(t.wait)),
            _task_since,
            falling=True,
        ),
        Field(
            Column("WHERE", least=10),
            lambda t: phrases.spot(t.where),
            _task_where,
            narrow=False,
        ),
    ),
    4,
)


def _grouped(snapshot: Snapshot) -> list[Alike]:
    """Tasks that are alike, counted."""
    counts: dict[tuple[str, str, int], int] = {}
    examples: dict[tuple[str, str, int], Task] = {}
    places: dict[tuple[str, int], int] = {}
    for task in snapshot.tasks:
        wait = task.wait
        what = "" if wait is None else "timer" if wait.kind == "timer" else phrases.thing(wait)
        place = places.setdefault(_task_where(task), len(places))
        key = (task.state, what, place)
        examples.setdefault(key, task)
        counts[key] = counts.get(key, 0) + 1
    return [Alike(key[0], key[1], examples[key], count) for key, count in counts.items()]


GROUPS = View(
    "groups",
    "tasks",
    _grouped,
    lambda group: f"{group.state} {group.what} {_task_where(group.example)}",
    lambda group: f"{group.what} {_task_words(group.example)}",
    lambda group: f"where {group.example.id}",
    (
        Field(
            Column("TASKS", "right"),
            lambda g: line(str(g.count)),
            operator.attrgetter("count"),
            falling=True,
        ),
        Field(
            Column("STATE"),
            lambda g: line((g.state, phrases.STATES.get(g.state, ""))),
            operator.attrgetter("state"),
            narrow=False,
        ),
        Field(Column("WAITING ON", least=10), lambda g: line(g.what), operator.attrgetter("what")),
        Field(
            Column("WHERE", least=8),
            lambda g: phrases.spot(g.example.where),
            lambda g: _task_where(g.example),
        ),
        Field(
            Column("EXAMPLE", least=8),
            lambda g: line((g.example.name, "name"), f" ({g.example.id})"),
            lambda g: g.example.name,
            narrow=False,
        ),
    ),
    0,
)


def _longest(item: Resource) -> float:
    return max((waiter.since for waiter in item.waiters), default=-1.0)


def _holders(item: Resource, snapshot: Snapshot) -> Line:
    """Who has it, in one line."""
    lines = held_by(snapshot, item)
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    first = (Span(span.text) if span.style == "fold" else span for span in lines[0])
    return (*first, *line(more))


@dataclass(frozen=True, slots=True)
class Held:
    """A primitive, and who has it."""

    item: Resource
    by: Line


def _resources(snapshot: Snapshot) -> list[Held]:
    chosen = (item for item in snapshot.resources if item.type != "Future" or item.holders)
    return [Held(item, _holders(item, snapshot)) for item in chosen]


def _number(key: str) -> int:
    """``L12`` after ``L3``."""
    return int(key[1:]) if key[1:].isdecimal() else 0


LOCKS = View(
    "locks",
    "all",
    _resources,
    lambda held: str(held.item.id),
    lambda held: (
        f"{held.item.id} {held.item.type} {held.item.name} {held.item.state} "
        + "".join(span.text for span in held.by)
    ),
    lambda held: f"lock {held.item.id}",
    (
        Field(Column("ID"), lambda h: line((h.item.id, "id")), lambda h: _number(h.item.id)),
        Field(
            Column("TYPE", least=6),
            lambda h: line(h.item.type),
            lambda h: h.item.type,
            narrow=False,
        ),
        Field(
            Column("NAME", least=8), lambda h: line((h.item.name, "name")), lambda h: h.item.name
        ),
        Field(
            Column("STATE", least=6),
            lambda h: line((h.item.state, "warn" if h.item.locked and h.item.waiters else "")),
            lambda h: h.item.state,
            narrow=False,
        ),
        Field(
            Column("HELD BY", least=8),
            lambda h: h.by,
            lambda h: "".join(span.text for span in h.by),
        ),
        Field(
            Column("WAITERS", "right"),
            lambda h: line(str(len(h.item.waiters))),
            lambda h: len(h.item.waiters),
            falling=True,
        ),
        Field(
            Column("LONGEST", "right"),
            lambda h: line(phrases.age(_longest(h.item)) if h.item.waiters else ""),
            lambda h: _longest(h.item),
            falling=True,
            narrow=False,
        ),
    ),
    5,
)


def _laps(snapshot: Snapshot) -> list[Lap]:
    names = {task.id: f"{task.name} ({task.id})" for task in snapshot.tasks}
    return [
        Lap(loop, names.get(loop.task, "") if loop.task is not None else "")
        for loop in snapshot.loops
    ]


def _loop_state(loop: Loop) -> Line:
    if loop.blocked is not None:
        return line((f"BLOCKED {loop.blocked:.1f} s", "bad"))
    return line("closed" if loop.closed else "running" if loop.running else "stopped")


def _loop_stack(lap: Lap) -> str:
    thread = lap.loop.thread
    return f"stacktrace {shlex.quote(thread)}" if thread else "loops"


def _seconds(value: float | None) -> Line:
    return line("" if value is None else phrases.brief(value) if value else "0 ms")


LOOPS = View(
    "loops",
    "loops",
    _laps,
    lambda lap: str(lap.loop.id),
    lambda lap: f"{lap.loop.id} {lap.loop.thread} {lap.loop.type} {lap.running}",
    _loop_stack,
    (
        Field(Column("ID", "right"), lambda p: line((str(p.loop.id), "id")), lambda p: p.loop.id),
        Field(
            Column("STATE"),
            lambda p: _loop_state(p.loop),
            lambda p: p.loop.blocked or -1.0,
            falling=True,
        ),
        Field(
            Column("THREAD", least=6),
            lambda p: line(p.loop.thread),
            lambda p: p.loop.thread,
            narrow=False,
        ),
        Field(
            Column("RUNNING", least=7),
            lambda p: line((p.running, "name")),
            operator.attrgetter("running"),
            narrow=False,
        ),
        Field(
            Column("TASKS", "right"),
            lambda p: line(str(p.loop.tasks)),
            lambda p: p.loop.tasks,
            falling=True,
        ),
        Field(
            Column("READY", "right"),
            lambda p: line("?" if p.loop.ready is None else str(p.loop.ready)),
            lambda p: p.loop.ready or 0,
            falling=True,
            narrow=False,
        ),
        Field(
            Column("TIMERS", "right"),
            lambda p: line("?" if p.loop.timers is None else str(p.loop.timers)),
            lambda p: p.loop.timers or 0,
            falling=True,
            narrow=False,
        ),
        Field(
            Column("LAG", "right"),
            lambda p: _seconds(p.loop.lag),
            lambda p: p.loop.lag or 0.0,
            falling=True,
        ),
        Field(
            Column("P99", "right"),
            lambda p: _seconds(p.loop.lag_p99),
            lambda p: p.loop.lag_p99 or 0.0,
            falling=True,
            narrow=False,
        ),
    ),
    0,
)

VIEWS = {view.name: view for view in (TASKS, GROUPS, LOCKS, LOOPS)}
