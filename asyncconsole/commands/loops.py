"""``loops``: every event loop of the process."""

from __future__ import annotations

import argparse
import dataclasses

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Column, Loop, Result, Snapshot, Table, Text, line


async def _run(target: Target, _options: argparse.Namespace) -> Result:
    snapshot = await target.snapshot("loops")
    document = {
        "schema": "asyncconsole/loops/1",
        "pid": snapshot.pid,
        "program": snapshot.program,
        "uptime": round(snapshot.uptime, 3),
        "loops": [dataclasses.asdict(loop) for loop in snapshot.loops],
    }
    footer = line(phrases.plural(len(snapshot.loops), "loop"))
    return Result(document, (_table(snapshot), Text((footer,))))


def _table(snapshot: Snapshot) -> Table:
    columns = (
        Column("ID", "right"),
        Column("STATE"),
        Column("THREAD", least=6),
        Column("RUNNING", least=7),
        Column("TASKS", "right"),
        Column("READY", "right"),
        Column("TIMERS", "right"),
        Column("LAG", "right"),
        Column("P50", "right", spare=True),
        Column("P99", "right"),
        Column("DEBUG", spare=True),
        Column("TYPE", spare=True),
    )
    rows = []
    for loop in snapshot.loops:
        task = snapshot.task(loop.task) if loop.task is not None else None
        running = f"{task.name} ({task.id})" if task is not None else ""
        state = _state(loop)
        rows.append(
            (
                (line((str(loop.id), "id")),),
                (line((state, "bad" if loop.blocked is not None else "")),),
                (line(loop.thread),),
                (line((running, "name")),),
                (line(str(loop.tasks)),),
                (line(_number(loop.ready)),),
                (line(_number(loop.timers)),),
                (line(_milliseconds(loop.lag)),),
                (line(_milliseconds(loop.lag_p50)),),
                (line(_milliseconds(loop.lag_p99)),),
                (line("on" if loop.debug else "off"),),
                (line(loop.type),),
            )
        )
    return Table(columns, tuple(rows))


def _state(loop: Loop) -> str:
    if loop.blocked is not None:
        return f"BLOCKED {loop.blocked:.1f} s"
    if loop.closed:
        return "closed"
    return "running" if loop.running else "stopped"


def _number(count: int | None) -> str:
    return "?" if count is None else str(count)


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds * 1000:.1f} ms" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - a blocked loop


COMMAND = Command(
    name="loops",
    summary="List event loops: thread, running task, queue lengths, lag, blocked or not.",
    run=_run,
)
