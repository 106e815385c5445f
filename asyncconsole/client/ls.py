"""``asyncconsole ls``: this user's live consoles."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from asyncconsole.client import ask, consoles, screen
from asyncconsole.client.connect import known_token, seconds
from asyncconsole.client.outside.onlooker import Onlooker
from asyncconsole.model.errors import ConsoleError, DeadlineError

if TYPE_CHECKING:
    from asyncconsole.serve.discovery import Record

SCHEMA = "asyncconsole/consoles/1"
PATIENCE = 2.0  # seconds each console is given
AT_ONCE = 32  # consoles asked at the same time

WHY = {
    "stopped": ": stopped",
    "traced": ": stopped by a debugger",
    "gil_held": ": GIL held in C",
    "uninterruptible": ": uninterruptible sleep",
    "no_cpu": ": the machine is busy",
}
"""What is added to "no answer", by what a look from outside shows."""

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Row:
    """One console.

    Attributes:
        pid: Process.
        argv: Its command line.
        host: Address it listens on, or None.
        port: TCP port, or None.
        socket: Path of its Unix socket, or None.
        version: Of asyncconsole in it.
        at: When the console started, ISO 8601 UTC.
        age: Seconds since then.
        loops: Event loops; None without an answer.
        tasks: Tasks on them; None without an answer.
        state: ``ok``, ``blocked``, ``no answer`` or ``unreachable``.
        detail: The state in words.
    """

    pid: int
    argv: Sequence[str]
    host: str | None
    port: int | None
    socket: str | None
    version: str
    at: str
    age: float | None
    loops: int | None
    tasks: int | None
    state: str
    detail: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument(
        "--timeout",
        type=seconds,
        metavar="S",
        default=PATIENCE,
        help="seconds to wait for each console (default %(default)g)",
    )


def ls(options: argparse.Namespace) -> int:
    """List them; returns the exit code, which is 0 also when there is none."""
    records = consoles.live()
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        rows = list(pool.map(lambda record: _row(record, options.timeout), records))
    if options.json:
        document = {"schema": SCHEMA, "consoles": [asdict(row) for row in rows]}
        screen.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    elif rows:
        screen.write(_table(rows))
    else:
        screen.complain("no live console. Start a program with one: `asyncconsole run app.py`.")
    return 0


def _row(record: Record, timeout: float) -> Row:
    loops: int | None = None
    tasks: int | None = None
    state, detail = "ok", ""
    address = consoles.address_of(record)
    onlooker = Onlooker(address, lines=False)
    try:
        found = ask.ask(address, "loops", timeout, known_token(), onlooker)
    except DeadlineError:
        sight = onlooker.look()
        why = "" if sight is None else WHY.get(sight.kind, "")
        state, detail = "no answer", f"no answer{why}"
    except ConsoleError as error:
        state, detail = "unreachable", str(error)
    else:
        each: list[dict[str, Any]] = found.get("loops") or []
        loops = len(each)
        tasks = sum(loop.get("tasks") or 0 for loop in each)
        blocked = max((loop.get("blocked") or 0.0 for loop in each), default=0.0)
        if blocked:
            state, detail = "blocked", f"blocked {blocked:.1f} s"
    return Row(
        pid=record.pid,
        argv=tuple(record.argv),
        host=record.host,
        port=record.port,
        socket=record.socket,
        version=record.version,
        at=record.at,
        age=_age(record.at),
        loops=loops,
        tasks=tasks,
        state=state,
        detail=detail,
    )


def _age(at: str) -> float | None:
    """Seconds since an ISO 8601 time."""
    try:
        then = datetime.fromisoformat(at.replace("Z", "+00:00"))  # 3.10 reads no Z
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=timezone.utc)
    return max(0.0, time.time() - then.timestamp())


def _table(rows: Sequence[Row]) -> str:
    import shlex  # noqa: PLC0415 - for people only

    cells: list[tuple[str, ...]] = [("PID", "ADDRESS", "LOOPS", "TASKS", "AGE", "STATE", "COMMAND")]
    for row in rows:
        address = f"{row.host}:{row.port}" if row.port else row.socket or "-"
        counts = ["-" if number is None else str(number) for number in (row.loops, row.tasks)]
        words = (address, *counts, span(row.age), row.detail or row.state, shlex.join(row.argv))
        cells.append((str(row.pid), *words))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    right = {0, 2, 3, 4}
    lines = []
    for line in cells:
        padded = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip() + "\n")
    return "".join(lines)


def span(seconds: float | None) -> str:
    """A time in a few characters: ``42 s``, ``3 min``, ``5.2 h``, ``9 d``."""
    if seconds is None:
        return "-"
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < 2 * DAY:
        return f"{seconds / HOUR:.1f} h"
    return f"{seconds / DAY:.0f} d"
