"""``diff``: what has not moved between two looks, and who has what it waits for."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable
from contextlib import aclosing

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Column, Line, Result, Snapshot, Table, Task, Text, UsageError, line

IDLE = frozenset({"timer", "server", "socket", "stream"})
"""Waits for the time or the network, in which healthy tasks spend their days."""

THROUGH = frozenset(
    {"task", "gather", "wait", "as_completed", "wait_for", "shield", "task_group", "executor"}
)
"""Waits for other tasks: as idle as what they lead to."""

LONGEST = 300
SHORTEST = 0.05
MOST_NAMES = 4
MOST_GROUPS = 50
_MARGIN = 0.5
"""Seconds that the two looks need at least."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "wait",
        nargs="?",
        type=float,
        default=5.0,
        metavar="S",
        help="seconds between the looks (default 5)",
    )
    parser.add_argument(
        "--all", action="store_true", help="also tasks that wait for a timer, server or socket"
    )
    parser.add_argument("--limit", type=int, default=MOST_GROUPS, metavar="N", help="rows at most")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    _check(options)
    before: dict[int, int] = {}
    async with aclosing(target.stream()) as parts:  # type: ignore[type-var]  # it is a generator
        async for part in parts:
            before |= {task.id: task.wait.token if task.wait else 0 for task in part.tasks}
    await asyncio.sleep(options.wait)
    after = await target.snapshot("all")
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
        "seconds": options.wait,
        **counts,
        "groups": [_document(after, group) for group in groups],
    }
    lines = [*_summary(options.wait, counts), *phrases.gaps(after)]
    if len(groups) > options.limit:
        rest = sum(map(len, groups[options.limit :]))
        lines.insert(0, line(f"{phrases.plural(rest, 'task')} more are not shown: diff --limit."))
    table = _table(after, groups[: options.limit])
    return Result(document, (table, Text(tuple(lines))) if groups else (Text(tuple(lines)),))


def _check(options: argparse.Namespace) -> None:
    """Refuse times that can't be kept.

    Raises:
        UsageError: S or the limit is out of range, or the client won't wait that long.
    """
    if not SHORTEST <= options.wait <= LONGEST:
        msg = f"diff: S takes seconds from {SHORTEST} to {LONGEST}."
        raise UsageError(msg)
    if options.limit < 1:
        msg = "diff: --limit takes a number of rows, 1 or more."
        raise UsageError(msg)
    within = getattr(options, "within", None)
    if within is not None and options.wait > within - _MARGIN:
        msg = (
            f"diff: {options.wait:g} s are more than the client waits ({within:.1f} s). "
            f"Try connect --timeout {options.wait + 10:g}."
        )
        raise UsageError(msg)


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


def _holders(snapshot: Snapshot, task: Task) -> list[tuple[str, int]]:
    """Who has what a task waits for, by name and id."""
    wait = task.wait
    item = snapshot.resource(wait.resource) if wait is not None and wait.resource else None
    return [(holder.name, holder.task) for holder in item.holders] if item is not None else []


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
        names = ", ".join(f"{task.name} ({task.id})" for task in group[:MOST_NAMES])
        names += f" and {len(group) - MOST_NAMES} more" if len(group) > MOST_NAMES else ""
        oldest = max(group, key=lambda task: task.wait.since if task.wait is not None else 0.0)
        holders = _holders(snapshot, first)
        who = ", ".join(f"{name} ({number})" for name, number in holders[:MOST_NAMES])
        who += f" and {len(holders) - MOST_NAMES} more" if len(holders) > MOST_NAMES else ""
        cells: tuple[Line, ...] = (
            line(str(len(group))),
            line((names, "name")),
            line(phrases.waiting(first.wait)),
            line(phrases.since(oldest.wait)),
            phrases.spot(first.where),
            line(who),
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


COMMAND = Command(
    name="diff",
    summary="Show what has not moved for S seconds, and who has what it waits for.",
    run=_run,
    configure=_configure,
    deadline=30.0,
    examples=("diff", "diff 2 --all"),
)
