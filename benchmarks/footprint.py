"""What starting, being there and being asked once costs: CPU, memory, modules, threads, wake-ups.

``python benchmarks/footprint.py [--quick]``
"""

from __future__ import annotations

import asyncio
import gc
import socket
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import DASH, TIMES, Budget, Child, Setting, present, resident, say, table
from sides import OURS, PEERS, available, beside

TASKS = 10_000
"""Live tasks whose memory is compared."""


def foreign() -> set[str]:
    """Top-level modules that are loaded and are neither the standard library's nor ours."""
    top = {name.partition(".")[0] for name in list(sys.modules)}
    own = {"asyncconsole", "__main__", "measure", "sides"}
    return {
        name
        for name in top - set(sys.stdlib_module_names) - own
        # The standard library's, named by the build.
        if not name.startswith(("_sysconfigdata", "_typing"))
    }


def wakeups() -> int:
    """How often the threads of this process have gone to sleep so far; 0 if not told."""
    total = 0
    try:
        for status in Path("/proc/self/task").glob("*/status"):
            for line in status.read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
    except OSError:
        return 0
    return total


async def wait(event: asyncio.Event) -> None:
    await event.wait()


async def child(side: str, length: str) -> None:
    """Say what each step costs; ``length`` in seconds is how long it idles."""
    seconds = float(length)
    before, others, threads = set(sys.modules), foreign(), threading.active_count()
    memory, cpu = resident(), time.process_time()
    facts: dict[str, Any] = {}
    if side in OURS:
        import asyncconsole  # noqa: F401, PLC0415 - the other sides must not have it
    elif side in PEERS:
        import aiomonitor  # noqa: F401, PLC0415 - as above
    facts["import_cpu"] = time.process_time() - cpu
    facts["import_modules"] = len(set(sys.modules) - before)
    facts["import_foreign"] = len(foreign() - others)
    with beside(side) as port:
        facts["start_cpu"] = time.process_time() - cpu
        await asyncio.sleep(0.5)  # the side thread comes up
        facts["start_memory"] = resident() - memory
        facts["modules"] = len(set(sys.modules) - before)
        facts["foreign"] = len(foreign() - others)
        cpu, slept = time.process_time(), wakeups()
        await asyncio.sleep(seconds)
        facts["wakeups"] = (wakeups() - slept) / seconds
        facts["idle_cpu"] = (time.process_time() - cpu) / seconds
        facts["threads"] = threading.active_count() - threads
        if side in OURS:
            cpu = time.process_time()
            await asyncio.to_thread(ask, port)
            facts["client_cpu"] = time.process_time() - cpu
            facts["client_memory"] = resident() - memory
        gc.collect()
        memory = resident()
        event = asyncio.Event()
        tasks = [asyncio.create_task(wait(event)) for _ in range(TASKS)]
        await asyncio.sleep(0.3)
        gc.collect()
        facts["task"] = (resident() - memory) / TASKS
        event.set()
        await asyncio.gather(*tasks)
    say(facts)


def ask(port: int) -> None:
    """A first client's first command."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(b'ASYNCCONSOLE/1 {"interactive": false}\n{"run": "ps"}\n')
        lines = sock.makefile("rb")
        while b'"done"' not in (line := lines.readline()) and line:
            pass


@dataclass(frozen=True)
class Footprint:
    """What was found."""

    text: str
    budgets: list[Budget]


BARE = """
import asyncio, os, sys

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

async def main():
    before = resident()
    if sys.argv[1] == "console":
        import asyncconsole
        asyncconsole.start(port=0)
    await asyncio.sleep(0.3)
    print(resident() - before)

asyncio.run(main())
"""
"""A program that has loaded nothing but asyncio: it pays for typing and json, too."""


def bare(where: Setting, side: str) -> float:
    """Bytes that starting costs such a program."""
    words = [where.python, "-c", BARE, side]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, timeout=120, env=where.environment
    )
    return float(done.stdout)


ROWS: tuple[tuple[str, str, float, str], ...] = (
    ("import: CPU", "import_cpu", 1000, "ms"),
    ("import: modules", "import_modules", 1, ""),
    ("import: third-party modules", "import_foreign", 1, ""),
    ("import and start: CPU", "start_cpu", 1000, "ms"),
    ("started: modules", "modules", 1, ""),
    ("started: third-party modules", "foreign", 1, ""),
    ("started: memory", "start_memory", 1 / 2**20, "MiB"),
    ("started: threads", "threads", 1, ""),
    ("idle: CPU of one core", "idle_cpu", 100, "%"),
    ("idle: wake-ups per second, the program's own included", "wakeups", 1, ""),
    ("first client and `ps`: CPU", "client_cpu", 1000, "ms"),
    ("memory after it", "client_memory", 1 / 2**20, "MiB"),
    ("memory of a live task", "task", 1, "bytes"),
)


def measure(where: Setting) -> Footprint:
    """Fresh processes, in turns; medians."""
    sides = [side for side in available(where.peer) if side != "debug"]
    times, seconds = (2, 0.5) if where.quick else (7, 3.0)
    for side in sides:  # warm: the first one compiles
        _run(where, side, 0.1)
    end = where.share(0.25)
    found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for turn in range(times):
        if turn > 1 and time.monotonic() > end:
            break
        for side in sides:
            found[side].append(_run(where, side, seconds))

    def typical(side: str, key: str) -> float | None:
        values = [one[key] for one in found[side] if key in one]
        return statistics.median(values) if values else None

    rows = []
    for what, key, factor, unit in ROWS:
        cells = [what]
        for side in sides:
            value = typical(side, key)
            cells.append(DASH if value is None else f"{value * factor:,.4g} {unit}".strip())
        rows.append(cells)

    def told(side: str, key: str) -> float:
        return typical(side, key) or 0.0

    ours = {key: told("console", key) for _, key, _, _ in ROWS}
    plain = told("plain", "task") or 1.0
    noise = abs(told("control", "task") / plain - 1)
    idle = 100 * (ours["idle_cpu"] - told("plain", "idle_cpu"))
    awake = ours["wakeups"] - told("plain", "wakeups")
    tracked = told("tracked", "task") / plain
    alone = statistics.median(bare(where, "console") for _ in range(times))
    budgets = [
        Budget("`import asyncconsole`: CPU", 1000 * ours["import_cpu"], 15, "ms"),
        Budget("third-party modules, started and idle", ours["foreign"], 0, ""),
        Budget("threads, idle", ours["threads"], 1, ""),
        Budget("memory after `start()`", ours["start_memory"] / 2**20, 2, "MiB"),
        Budget("the same where nothing but asyncio is loaded", alone / 2**20, 2, "MiB"),
        Budget("idle CPU", idle, 0.3, "%"),
        Budget("idle wake-ups (the beat has 4)", awake, 5, "/s"),
        Budget("memory per live task: tracked", tracked, 1.2, TIMES, noise),
    ]
    return Footprint(table(["what", *sides], rows), budgets)


def _run(where: Setting, side: str, seconds: float) -> dict[str, float]:
    one = Child(where, __file__, "--child", side, str(seconds))
    try:
        facts: dict[str, float] = one.read()
        return facts
    finally:
        one.close()


if __name__ == "__main__":
    present(__doc__, measure, child, words=2, quick="fewer rounds: a look, no result")
