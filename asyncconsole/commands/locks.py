"""``locks``: who holds what, and who waits for it."""

from __future__ import annotations

import argparse

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import (
    Column,
    Line,
    Resource,
    Result,
    Snapshot,
    Table,
    Text,
    UsageError,
    line,
)

_NEVER_HELD = {
    "Event",
    "Queue",
    "LifoQueue",
    "PriorityQueue",
    "Barrier",
    "Future",
    "anyio.Event",
    "anyio.EventAdapter",
    "anyio.MemoryObjectStream",
}
MOST_WAITERS = 10
_MOST_GIB = 1 << 20


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all",
        action="store_true",
        help="also those that nobody waits for or holds (an id with X, such as X1, is of "
        "that listing only: nothing leads to it, so it can't be found again); "
        "every waiter; bare futures",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="show at most N rows")
    parser.add_argument(
        "--copy-limit",
        type=float,
        metavar="GIB",
        help="with --all: memory of the program above which it is not forked (default 2)",
    )


async def _run(target: Target, options: argparse.Namespace) -> Result:
    if options.limit is not None and options.limit < 1:
        msg = "locks: --limit takes a number of rows, 1 or more."
        raise UsageError(msg)
    if options.copy_limit is not None and not 0 <= options.copy_limit < _MOST_GIB:
        msg = "locks: --copy-limit takes GiB of memory, such as 4."
        raise UsageError(msg)
    if options.all:
        return await _all(target, options)
    snapshot = await target.snapshot("all")
    chosen = [item for item in snapshot.resources if item.type != "Future" or item.holders]
    document = {
        "schema": "asyncconsole/resources/1",
        "resources": [phrases.resource_document(item) for item in snapshot.resources],
    }
    hidden = len(snapshot.resources) - len(chosen)
    more = f" ({phrases.plural(hidden, 'future')} not shown: locks --all)" if hidden else ""
    if not chosen:
        footer = line(f"No task waits for or holds a lock, semaphore, queue or event.{more}")
        return Result(document, (Text((footer, *phrases.gaps(snapshot))),))
    footer = line(f"{_count(len(chosen), options.limit)}{more}")
    table = _table(snapshot, chosen[: options.limit], MOST_WAITERS)
    return Result(document, (table, Text((footer, *phrases.gaps(snapshot)))))


async def _all(target: Target, options: argparse.Namespace) -> Result:
    """Every primitive of the program."""
    memory = None if options.copy_limit is None else int(options.copy_limit * (1 << 30))
    census = await target.census(memory)
    snapshot = census.snapshot
    shown = snapshot.resources[: options.limit]
    document = {
        "schema": "asyncconsole/resources/1",
        "resources": [phrases.resource_document(item) for item in shown],
        "total": census.total,
        "how": census.how,
    }
    listed = sum(item.type != "Future" for item in snapshot.resources)
    more = f"; {census.total - listed} more are too many to list" if census.total > listed else ""
    footer = [
        line(f"{_count(len(snapshot.resources), options.limit)}{more}."),
        line((census.how, "dim")),
        *phrases.gaps(snapshot),
    ]
    table = _table(snapshot, list(shown), None)
    return Result(document, (table, Text(tuple(footer))) if shown else (Text(tuple(footer)),))


def _count(found: int, limit: int | None) -> str:
    """``3 primitives``, ``200 primitives, 50 of them shown``."""
    cut = f", {limit} of them shown" if limit is not None and limit < found else ""
    return f"{phrases.plural(found, 'primitive')}{cut}"


def _table(snapshot: Snapshot, chosen: list[Resource], most: int | None) -> Table:
    columns = (
        Column("ID"),
        Column("TYPE", least=14),
        Column("NAME", least=12),
        Column("STATE", least=8),
        Column("HELD BY", least=16),
        Column("WAITED FOR BY", least=14),
    )
    rows = []
    for item in chosen:
        rows.append(
            (
                (line((item.id, "id")),),
                (line(item.type),),
                (line((item.name, "name")),),
                (line((item.state, "warn" if item.locked and item.waiters else "")),),
                tuple(held_by(snapshot, item)),
                tuple(waited_for_by(item, most)),
            )
        )
    return Table(columns, tuple(rows))


def held_by(snapshot: Snapshot, item: Resource) -> list[Line]:
    """A line for each holder; says so when the holder is not known."""
    if not item.holders and not item.unknown:
        if item.locked and item.type not in _NEVER_HELD:
            return [line((unknown_holder(snapshot, item), "warn"))]
        return [line()]
    found = []
    for holder in item.holders:
        doubt = "" if holder.certain else "probably "
        spot = f"{phrases.base(holder.file)}:{holder.line} {holder.function}"
        found.append(
            line(
                doubt,
                (holder.name, "name"),
                f" ({holder.task})",
                ("  ", "fold"),
                spot if holder.line else "taken by acquire()",
            )
        )
    if item.unknown:
        more = " more" if item.holders else ""
        found.append(line((f"{item.unknown}{more}: holder unknown", "warn")))
    return found


def unknown_holder(snapshot: Snapshot, item: Resource) -> str:
    """Why nobody is named: no stack shows it."""
    running = [task for task in snapshot.tasks if task.state == "running"]
    if running and item.type != "Future":
        names = ", ".join(f"{task.name} ({task.id})" for task in running[:2])
        return f"unknown: {names} runs now, or taken by acquire()"
    return "unknown: taken by acquire(), not `async with`"


def waited_for_by(item: Resource, most: int | None) -> list[Line]:
    """A line for each waiter, in queue order."""
    shown = item.waiters if most is None else item.waiters[:most]
    found = []
    for waiter in shown:
        number = f" ({waiter.task})" if waiter.task is not None else ""
        role = f" {waiter.role}" if waiter.role else ""
        found.append(
            line(
                f"{waiter.position}. ",
                (waiter.name, "name"),
                f"{number}{role}",
                (" ", "fold"),
                phrases.age(waiter.since),
            )
        )
    if len(shown) < len(item.waiters):
        found.append(line((f"and {len(item.waiters) - len(shown)} more", "dim")))
    return found or [line()]


COMMAND = Command(
    name="locks",
    aliases=("l",),
    summary="List locks, semaphores, conditions, events, queues: holders and waiters.",
    run=_run,
    configure=_configure,
    deadline=60.0,
    examples=("locks", "locks --all"),
)
