"""What a console that nobody talks to costs its program.

``python benchmarks/overhead.py [--quick] [--python PATH] [--write]``

Two child processes run the same loop, one with ``asyncconsole.start()`` and one without.
They take turns, round by round; the table has the median of the rounds' ratios and the
range of the middle half. A third child, plain like the second, shows what a ratio of
nothing looks like on this machine: differences below its spread mean nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = CHECKOUT / "docs" / "performance.md"
TIMES = "\N{MULTIPLICATION SIGN}"

# The children. What they run is in this file, so that both sides run the same.


async def noop() -> None:
    """The task whose life is timed."""


async def tasks(count: int) -> None:
    """Create a task and await it, ``count`` times."""
    for _ in range(count):
        await asyncio.create_task(noop())


async def locks(count: int) -> None:
    """Take a free lock and give it back, ``count`` times."""
    lock = asyncio.Lock()
    for _ in range(count):
        async with lock:
            pass


# A round takes some 0.3 s, so that each has its share of the console's beats.
WORK: dict[str, tuple[Callable[[int], Awaitable[None]], int]] = {
    "tasks": (tasks, 40_000),
    "locks": (locks, 600_000),
}


async def child(side: str) -> None:
    """Answer each line of stdin, ``tasks`` or ``locks``, with nanoseconds per operation."""
    console = None
    if side == "console":
        import asyncconsole  # noqa: PLC0415 - the plain side must not have it

        console = asyncconsole.start()
    loop = asyncio.get_running_loop()
    try:
        while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            work, count = WORK[line]
            gc.collect()
            before = time.perf_counter_ns()
            await work(count)
            print((time.perf_counter_ns() - before) / count, flush=True)
    finally:
        if console is not None:
            console.close()


def foreign() -> set[str]:
    """Top-level modules that are loaded and are neither the standard library's nor ours."""
    top = {name.partition(".")[0] for name in list(sys.modules)}
    own = {"asyncconsole", "__main__"}
    return {
        name
        for name in top - set(sys.stdlib_module_names) - own
        if not name.startswith("_sysconfigdata")  # the standard library's, named by the build
    }


def resident() -> int | None:
    """Bytes of memory in use, where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def wakeups() -> int | None:
    """How often the threads of this process have gone to sleep so far, where the system tells."""
    total = 0
    try:
        for status in Path("/proc/self/task").glob("*/status"):
            for line in status.read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
    except OSError:
        return None
    return total or None


async def idle(seconds: float) -> None:
    """Print what starting costs and what the console does while nothing happens."""
    started = foreign()
    memory, cpu, threads = resident(), time.process_time(), threading.active_count()
    import asyncconsole  # noqa: PLC0415 - its import is part of what is measured

    console = asyncconsole.start()
    begun = time.process_time() - cpu
    await asyncio.sleep(1.0)  # the side thread comes up
    cpu, slept = time.process_time(), wakeups()
    await asyncio.sleep(seconds)
    after = wakeups()
    facts = {
        "start_cpu": begun,
        "idle_cpu": (time.process_time() - cpu) / seconds,
        "wakeups": None if slept is None or after is None else (after - slept) / seconds,
        "memory": None if memory is None else (resident() or 0) - memory,
        "threads": threading.active_count() - threads,
        "foreign": sorted(foreign() - started),
    }
    console.close()
    print(json.dumps(facts))


def imported() -> None:
    """Print CPU seconds of ``import asyncconsole`` and what else it loaded."""
    before, cpu = foreign(), time.process_time()
    import asyncconsole  # noqa: F401, PLC0415 - this is what is measured

    cpu = time.process_time() - cpu
    print(json.dumps({"cpu": cpu, "foreign": sorted(foreign() - before)}))


# The parent.


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    spread: str
    budget: str


def command(python: str, *words: str) -> list[str]:
    """The command line of a child."""
    return [python, str(Path(__file__).resolve()), *words]


def environment() -> dict[str, str]:
    """Variables of a child: it imports the package of this checkout."""
    return {**os.environ, "PYTHONPATH": str(CHECKOUT)}


class Side:
    """A child that runs rounds on demand."""

    def __init__(self, python: str, kind: str) -> None:
        self._process = subprocess.Popen(
            command(python, "--child", kind),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def round(self, work: str) -> float:
        """Nanoseconds per operation in one round."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(work + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the child."""
        self._process.communicate("\n", timeout=30)


def ratios(python: str, rounds: int) -> list[Row]:
    """Rows of the work that is timed side by side."""
    kinds = ("plain", "console", "plain")
    sides = [Side(python, kind) for kind in kinds]
    rows = []
    try:
        for work, what, budget in (
            ("tasks", "create a task and await it", f"≤ {TIMES}1.02"),
            ("locks", "uncontended `async with lock`", f"{TIMES}1.00"),
        ):
            for side in sides:
                side.round(work)  # warm
            found: list[list[float]] = []
            for turn in range(rounds):
                order = [0, 1, 2] if turn % 2 else [2, 1, 0]
                times = [0.0, 0.0, 0.0]
                for one in order:
                    times[one] = sides[one].round(work)
                found.append(times)
            cost = statistics.median(times[0] for times in found)
            for one, label in ((1, "console on, idle"), (2, "control: no console")):
                middle, spread = summary([times[one] / times[0] for times in found])
                rows.append(
                    Row(
                        f"{what} ({cost:,.0f} ns): {label}",
                        f"{TIMES}{middle:.3f}",
                        spread,
                        budget if one == 1 else f"{TIMES}1.00",
                    )
                )
    finally:
        for side in sides:
            side.close()
    return rows


def summary(values: list[float]) -> tuple[float, str]:
    """Median, and the range of the middle half in words."""
    low, middle, high = statistics.quantiles(values, n=4)
    return middle, f"{low:.3f} … {high:.3f}"


def costs(python: str, times: int, seconds: float) -> list[Row]:
    """Rows of import, start and idling."""
    imports = [ask(python, "--import") for _ in range(times)]
    cpu = [1000 * one["cpu"] for one in imports]
    starts = [ask(python, "--idle", str(seconds)) for _ in range(max(2, times // 4))]
    begun = [1000 * one["start_cpu"] for one in starts]
    awake = [one["wakeups"] for one in starts if one["wakeups"] is not None]
    memory = [one["memory"] / 2**20 for one in starts if one["memory"] is not None]
    rows = [
        Row("`import asyncconsole`, CPU", f"{min(cpu):.1f} ms", f"… {max(cpu):.1f}", "≤ 15 ms"),
        Row("third-party modules after import", names(imports), "", "none"),
        Row("import and `start()`, CPU", f"{min(begun):.0f} ms", f"… {max(begun):.0f}", ""),
        Row("third-party modules, started and idle", names(starts), "", "none"),
        Row("threads", f"+{max(one['threads'] for one in starts)}", "", "+1"),
        Row(
            "idle: CPU of one core",
            f"{100 * min(one['idle_cpu'] for one in starts):.2f} %",
            f"… {100 * max(one['idle_cpu'] for one in starts):.2f}",
            "≈ 0.3 %",
        ),
    ]
    if awake:
        rows.append(
            Row(
                "idle: wake-ups per second",
                f"{min(awake):.1f}",
                f"… {max(awake):.1f}",
                "4 Hz beat",
            )
        )
    if memory:
        rows.append(
            Row(
                "memory after `start()`",
                f"{min(memory):.1f} MiB",
                f"… {max(memory):.1f}",
                "≤ 2 MiB",
            )
        )
    return rows


def names(answers: list[dict[str, Any]]) -> str:
    """The modules that any child reported."""
    return ", ".join(sorted({name for one in answers for name in one["foreign"]})) or "none"


def ask(python: str, *words: str) -> dict[str, Any]:
    """The JSON that a child prints."""
    done = subprocess.run(
        command(python, *words),
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
        timeout=120,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def machine(python: str) -> str:
    """One line about where this was measured."""
    told = subprocess.run(
        [python, "-c", "import platform as p; print('CPython', p.python_version())"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout.strip()  # fmt: skip
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{told}, {platform.system()}, {model}, {os.cpu_count()} CPUs{load}, {date.today()}"  # noqa: DTZ011 - the day here is meant


def table(rows: list[Row]) -> str:
    """A Markdown table that reads well as text, too."""
    cells = [("what", "measured", "spread", "budget")]
    cells += [(row.what, row.measured, row.spread, row.budget) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


PROSE = """\
# Performance

What a console that nobody talks to costs its program: printed by `python benchmarks/overhead.py
--write`, which overwrites this page. Two processes, one with `asyncconsole.start()` and one
without, take turns round by round; a ratio is the median of the rounds' ratios, and the spread is
the range of the middle half. *control* compares two processes without a console: a difference
smaller than its spread is noise. Trust the ratios; the times depend on the machine.

Measured on: {machine}.

{table}

Nothing of the program is patched by `start()`: what there is to measure comes from the side thread,
which looks at the loops four times a second.
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, no result")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure on")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    for hidden in ("--child", "--idle"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--import", dest="imports", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        asyncio.run(child(options.child))
    elif options.idle:
        asyncio.run(idle(float(options.idle)))
    elif options.imports:
        imported()
    else:
        where = machine(options.python)
        rows = ratios(options.python, 7 if options.quick else 41)
        rows += costs(options.python, 5 if options.quick else 20, 2.0 if options.quick else 5.0)
        print(where, "", table(rows), sep="\n")
        if options.write:
            PAGE.write_text(PROSE.format(machine=where, table=table(rows)), encoding="utf-8")


if __name__ == "__main__":
    main()
