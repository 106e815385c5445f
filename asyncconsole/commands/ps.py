"""``ps``: every task, what it waits for, and where."""

from __future__ import annotations

import argparse
import fnmatch

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command, nearest
from asyncconsole.commands.port import Target
from asyncconsole.model import Column, Line, Result, Snapshot, Table, Task, Text, UsageError, line
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
    parser.add_argument("--limit", type=int, metavar="N", help="show at most N rows")
    parser.add_argument("--group", action="store_true", help="one row for equal stacks")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    limit = options.limit
    if limit is not None and limit < 1:
        msg = "ps: --limit takes a number of rows, 1 or more."
        raise UsageError(msg)
    plain = options.sort == "id" and not options.group and not _filters(options)
    snapshot = await target.snapshot("tasks", first=limit if plain else None)
    _check(snapshot, options)
    tasks = sorted(_chosen(snapshot, options), key=_KEYS[options.sort])
    shown = tasks[:limit]
    total = snapshot.total if plain else len(tasks)

    def document() -> dict[str, object]:
        made: dict[str, object] = {
            "schema": "asyncconsole/tasks/1",
            "tasks": [phrases.task_document(task) for task in shown],
            "total": total,
            "shown": len(shown),
        }
        if options.group:
            made["groups"] = _grouped(tasks, limit)[1]
        return made

    def blocks() -> tuple[Table | Text, ...]:
        if options.group:
            table, count = _grouped(tasks, limit)
            groups = phrases.plural(count, "group")
            footer = line(f"{phrases.plural(len(tasks), 'task')} in {groups}")
        else:
            table = _table(shown)
            less = f", {len(shown)} shown" if len(shown) < total else ""
            footer = line(f"{phrases.plural(total, 'task')}{less}")
        return table, Text((footer, *phrases.gaps(snapshot)))

    return Result(document, blocks)


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


def _table(tasks: list[Task]) -> Table:
    columns: tuple[Column, ...] = (
        Column("ID", "right"),
        Column("STATE"),
        Column("NAME", least=12),
        Column("CORO", least=8, spare=True),
        Column("WAITING ON", least=12),
        Column("SINCE", "right"),
        Column("WHERE", least=12),
    )
    tracked = any(task.age is not None for task in tasks)
    if tracked:
        columns += (Column("AGE", "right"),)
    rows: list[tuple[tuple[Line, ...], ...]] = []
    for task in tasks:
        age = ((line(phrases.age(task.age, exact=True)),),) if tracked else ()
        rows.append(
            (
                (line((str(task.id), "id")),),
                (line((task.state, phrases.STATES.get(task.state, ""))),),
                (line((task.name, "name")),),
                (line(task.coro),),
                (line(phrases.waiting(task.wait)),),
                (line(phrases.since(task.wait)),),
                (phrases.spot(task.where),),
                *age,
            )
        )
    return Table(columns, tuple(rows))


def _grouped(tasks: list[Task], limit: int | None) -> tuple[Table, int]:
    """Tasks with the same state, wait and place in one row."""
    groups: dict[tuple[str, str, str], list[Task]] = {}
    for task in tasks:
        wait = task.wait
        what = "" if wait is None else "timer" if wait.kind == "timer" else phrases.thing(wait)
        where = "".join(span.text for span in phrases.spot(task.where))
        groups.setdefault((task.state, what, where), []).append(task)
    columns = (
        Column("TASKS", "right"),
        Column("STATE"),
        Column("WAITING ON", least=12),
        Column("WHERE", least=12),
        Column("EXAMPLE", least=8),
    )
    rows = []
    largest = sorted(groups.items(), key=lambda pair: -len(pair[1]))
    for (state, what, _), members in largest[:limit]:
        task = members[0]
        items = {member.wait.resource for member in members if member.wait is not None}
        number = f" ({items.pop()})" if len(items) == 1 and None not in items else ""
        rows.append(
            (
                (line(str(len(members))),),
                (line((state, phrases.STATES.get(task.state, ""))),),
                (line(what + number),),
                (phrases.spot(task.where),),
                (line((task.name, "name"), f" ({task.id})"),),
            )
        )
    return Table(columns, tuple(rows)), len(groups)


COMMAND = Command(
    name="ps",
    aliases=("p",),
    summary="List tasks: state, what each waits for, since when, where.",
    run=_run,
    configure=_configure,
    deadline=30.0,
    examples=("ps", "ps --waiting lock", "ps transfer --sort since", "ps --group"),
)
