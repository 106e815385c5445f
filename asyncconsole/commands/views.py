"""The tables of ``top``: which rows a snapshot gives, and what their cells say."""

from __future__ import annotations

import operator
import shlex
from collections.abc import Generator
from dataclasses import dataclass

from asyncconsole.commands import phrases
from asyncconsole.commands.locks import held_by
from asyncconsole.commands.sheets import SLICE, Field, View
from asyncconsole.model import Column, Line, Loop, Resource, Snapshot, Span, Task, line


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


def _grouped(snapshot: Snapshot) -> Generator[None, None, list[Alike]]:
    """Tasks that are alike, counted."""
    counts: dict[tuple[str, str, int], int] = {}
    examples: dict[tuple[str, str, int], Task] = {}
    places: dict[tuple[str, int], int] = {}
    for number, task in enumerate(snapshot.tasks):
        if number % SLICE == 0:
            yield
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


def _holders(held: Held) -> Line:
    """Who has it, in one line."""
    lines = held_by(held.snapshot, held.item)
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    first = (Span(span.text) if span.style == "fold" else span for span in lines[0])
    return (*first, *line(more))


@dataclass(frozen=True, slots=True)
class Held:
    """A primitive, and where to read of who has it."""

    item: Resource
    snapshot: Snapshot

    @property
    def names(self) -> str:
        """Who has it, as far as known."""
        return ", ".join([holder.name for holder in self.item.holders])


def _resources(snapshot: Snapshot) -> list[Held]:
    chosen = (item for item in snapshot.resources if item.type != "Future" or item.holders)
    return [Held(item, snapshot) for item in chosen]


def _number(key: str) -> int:
    """``L12`` after ``L3``."""
    return int(key[1:]) if key[1:].isdecimal() else 0


LOCKS = View(
    "locks",
    "all",
    _resources,
    lambda held: str(held.item.id),
    lambda held: f"{held.item.id} {held.item.type} {held.item.name} {held.item.state} {held.names}",
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
            _holders,
            operator.attrgetter("names"),
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
