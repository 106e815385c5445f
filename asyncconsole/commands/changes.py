"""Two looks at a program: what has not moved between them, and what else has changed."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from asyncconsole.commands import phrases
from asyncconsole.model import (
    Column,
    Line,
    Resource,
    Result,
    Snapshot,
    Table,
    Task,
    Text,
    UsageError,
    line,
)

IDLE = frozenset({"timer", "server", "socket", "stream"})
"""Waits for the time or the network, in which healthy tasks spend their days."""

THROUGH = frozenset(
    {"task", "gather", "wait", "as_completed", "wait_for", "shield", "task_group", "executor"}
)
"""Waits for other tasks: as idle as what they lead to."""

MOST_NAMES = 4
MOST_GROUPS = 50


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--all", action="store_true", help="also tasks that wait for a timer, server or socket"
    )
    parser.add_argument("--limit", type=int, default=MOST_GROUPS, metavar="N", help="rows at most")


def check(command: str, options: argparse.Namespace) -> None:
    """Refuse options that mean nothing.

    Raises:
        UsageError: The limit is out of range.
    """
    if options.limit < 1:
        msg = f"{command}: --limit takes a number of rows, 1 or more."
        raise UsageError(msg)


def tokens(tasks: Iterable[Task]) -> dict[int, int]:
    """By their ids, the numbers of what tasks wait for: 0 for nothing."""
    return {task.id: task.wait.token if task.wait else 0 for task in tasks}


def unmoved(
    before: dict[int, int], after: Snapshot, seconds: float, options: argparse.Namespace
) -> Result:
    """What has not moved.

    Args:
        before: `tokens` of the first look.
        after: The second one.
        seconds: Between them.
        options: See `configure`.
    """
    still = [task for task in after.tasks if _same(before, task)]
    shown = still if options.all else _stuck(after, still)
    groups = _grouped(shown)
    counts = {
        "total": len(after.tasks),
        "unmoved": len(still),
        "shown": len(shown),
        "idle": len(still) - len(shown),
        "moved": sum(task.id in before for task in after.tasks) - len(still),
        "appeared": sum(task.id not in before for task in after.tasks),
        "ended": len(before.keys() - {task.id for task in after.tasks}),
    }
    document = {
        "schema": "asyncconsole/diff/1",
        "seconds": seconds,
        **counts,
        "groups": [_document(after, group) for group in groups],
    }
    lines = [*_summary(seconds, counts), *phrases.gaps(after)]
    if len(groups) > options.limit:
        rest = sum(map(len, groups[options.limit :]))
        lines.insert(0, line(f"{phrases.plural(rest, 'task')} more are not shown: diff --limit."))
    table = _table(after, groups[: options.limit])
    return Result(document, (table, Text(tuple(lines))) if groups else (Text(tuple(lines)),))


def between(
    before: Snapshot, after: Snapshot, seconds: float, options: argparse.Namespace
) -> Result:
    """What has not moved, and what has: tasks that are new or gone, locks with other holders.

    Args:
        before: A program.
        after: The same one, later.
        seconds: Between them.
        options: See `configure`.
    """
    found = unmoved(tokens(before.tasks), after, seconds, options)
    known, left = {task.id for task in before.tasks}, {task.id for task in after.tasks}
    new = [task for task in after.tasks if task.id not in known]
    gone = [task for task in before.tasks if task.id not in left]
    passed = _passed(before, after)
    document = {
        **found.told(),
        "new": [_brief(task) for task in new],
        "gone": [_brief(task) for task in gone],
        "locks": [
            {
                "id": item.id,
                "type": item.type,
                "name": item.name,
                "before": [{"task": task, "name": name} for name, task in had],
                "after": [{"task": task, "name": name} for name, task in have],
            }
            for item, had, have in passed
        ],
    }
    blocks = list(found.shown())
    for title, tasks in (("New", new), ("Gone", gone)):
        if tasks:
            blocks += _listed(title, tasks, options.limit)
    if passed:
        blocks += _handed_on(passed, options.limit)
    return Result(document, tuple(blocks))


def _brief(task: Task) -> dict[str, object]:
    described = phrases.task_document(task)
    return {key: described[key] for key in ("id", "name", "state", "coro", "loop", "where")}


Holders = list[tuple[str, int]]
"""Tasks by name and id."""


def _passed(before: Snapshot, after: Snapshot) -> list[tuple[Resource, Holders, Holders]]:
    """Primitives that have other holders than before, those that nobody has any more among them."""
    earlier = {item.id: item for item in before.resources}
    later = {item.id: item for item in after.resources}
    found = []
    for number, item in {**earlier, **later}.items():
        had = _have(earlier.get(number))
        have = _have(later.get(number))
        if sorted(task for _, task in had) != sorted(task for _, task in have):
            found.append((item, had, have))
    return found


def _have(item: Resource | None) -> Holders:
    return [(holder.name, holder.task) for holder in item.holders] if item is not None else []


def _listed(title: str, tasks: list[Task], limit: int) -> list[Table | Text]:
    """Tasks under a heading."""
    columns = (
        Column("ID", "right"),
        Column("STATE"),
        Column("NAME", least=12),
        Column("WAITING ON", least=12),
        Column("WHERE", least=12),
    )
    rows = tuple(
        (
            (line((str(task.id), "id")),),
            (line((task.state, phrases.STATES.get(task.state, ""))),),
            (line((task.name, "name")),),
            (line(phrases.waiting(task.wait)),),
            (phrases.spot(task.where),),
        )
        for task in tasks[:limit]
    )
    return [_heading(title, len(tasks), "task", limit), Table(columns, rows)]


def _heading(title: str, count: int, noun: str, limit: int) -> Text:
    less = f", {limit} shown: diff --limit" if count > limit else ""
    return Text((line(), line((f"{title}: {phrases.plural(count, noun)}{less}", "heading"))))


def _handed_on(passed: list[tuple[Resource, Holders, Holders]], limit: int) -> list[Table | Text]:
    """Primitives with who had and who has them."""
    columns = (
        Column("ID"),
        Column("TYPE"),
        Column("NAME", least=12),
        Column("HELD BY BEFORE", least=12),
        Column("HELD BY AFTER", least=12),
    )
    rows = tuple(
        (
            (line((item.id, "id")),),
            (line(item.type),),
            (line((item.name, "name")),),
            (line(_names(had) or "nobody"),),
            (line(_names(have) or "nobody"),),
        )
        for item, had, have in passed[:limit]
    )
    return [_heading("Changed hands", len(passed), "primitive", limit), Table(columns, rows)]


def _names(tasks: Holders) -> str:
    """``a (1), b (2) and 3 more``."""
    names = ", ".join(f"{name} ({number})" for name, number in tasks[:MOST_NAMES])
    return names + (f" and {len(tasks) - MOST_NAMES} more" if len(tasks) > MOST_NAMES else "")


def _same(before: dict[int, int], task: Task) -> bool:
    """True when a task is suspended on the very future it was suspended on before."""
    return task.wait is not None and task.wait.token != 0 and task.wait.token == before.get(task.id)


def _stuck(snapshot: Snapshot, still: Iterable[Task]) -> list[Task]:
    """Those that wait for neither the time nor the network, nor only for tasks that do or move."""
    live = {task.id for task in snapshot.tasks}
    found = {
        task.id: task for task in still if task.wait is not None and task.wait.kind not in IDLE
    }
    awaiters: dict[int, list[int]] = {}
    reasons: dict[int, int] = {}
    for task in found.values():
        wait = task.wait
        if wait is None or wait.kind not in THROUGH or not wait.tasks:
            continue  # it is there for itself
        ahead = {number for number in wait.tasks if number in live}
        reasons[task.id] = len(ahead)
        for number in ahead:
            awaiters.setdefault(number, []).append(task.id)
    # Whoever is dropped is no reason any more for those that await it.
    gone = [number for number in live if number not in found]
    gone += [number for number, count in reasons.items() if not count]
    dropped = set()
    while gone:
        number = gone.pop()
        if number in dropped:
            continue
        dropped.add(number)
        found.pop(number, None)
        for awaiter in awaiters.get(number, ()):
            reasons[awaiter] -= 1
            if not reasons[awaiter]:
                gone.append(awaiter)
    return list(found.values())


def _grouped(tasks: Iterable[Task]) -> list[list[Task]]:
    """Tasks that run the same code and wait for the same at the same line, together."""
    found: dict[tuple[object, ...], list[Task]] = {}
    for task in tasks:
        wait, where = task.wait, task.where
        what = None if wait is None else (wait.kind, wait.resource or wait.type or wait.name)
        if wait is not None and wait.kind in THROUGH:
            what = (wait.kind, "")
        spot = None if where is None else (where.file, where.line, where.function)
        found.setdefault((task.coro, what, spot, task.loop), []).append(task)
    return sorted(found.values(), key=lambda group: (-len(group), group[0].id))


def _holders(snapshot: Snapshot, task: Task) -> Holders:
    """Who has what a task waits for, by name and id."""
    wait = task.wait
    item = snapshot.resource(wait.resource) if wait is not None and wait.resource else None
    return _have(item)


def _document(snapshot: Snapshot, group: list[Task]) -> dict[str, object]:
    first = group[0]
    described = phrases.task_document(first)
    return {
        "count": len(group),
        "tasks": [{"id": task.id, "name": task.name} for task in group],
        "coro": first.coro,
        "loop": first.loop,
        "waiting": described["waiting"],
        "where": described["where"],
        "since": max(round(task.wait.since, 3) for task in group if task.wait is not None),
        "holders": [{"task": task, "name": name} for name, task in _holders(snapshot, first)],
    }


def _table(snapshot: Snapshot, groups: list[list[Task]]) -> Table:
    columns = (
        Column("COUNT", "right"),
        Column("TASKS", least=16),
        Column("WAITING ON", least=16),
        Column("SINCE", "right"),
        Column("WHERE", least=12),
        Column("HELD BY", least=12),
    )
    rows = []
    for group in groups:
        first = group[0]
        names = _names([(task.name, task.id) for task in group])
        oldest = max(group, key=lambda task: task.wait.since if task.wait is not None else 0.0)
        cells: tuple[Line, ...] = (
            line(str(len(group))),
            line((names, "name")),
            line(phrases.waiting(first.wait)),
            line(phrases.since(oldest.wait)),
            phrases.spot(first.where),
            line(_names(_holders(snapshot, first))),
        )
        rows.append(tuple((cell,) for cell in cells))
    return Table(columns, tuple(rows))


def _summary(seconds: float, counts: dict[str, int]) -> list[Line]:
    stuck = counts["shown"]
    words: tuple[str, phrases.Style] = (
        f"{phrases.plural(stuck, 'task')} of {counts['total']} did not move",
        "warn" if stuck else "good",
    )
    found = [
        line(
            words,
            f" in {seconds:g} s; {counts['moved']} moved, {counts['appeared']} appeared, "
            f"{counts['ended']} ended.",
        )
    ]
    if counts["idle"]:
        found.append(
            line(
                f"{phrases.plural(counts['idle'], 'task')} that only wait for a timer, server or "
                "socket, or for such tasks, are not shown: diff --all.",
            )
        )
    return found
