"""What the benchmarks share: children, environments, ratios, tables, the machine's description."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import platform
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

CHECKOUT = Path(__file__).resolve().parent.parent
TIMES = "\N{MULTIPLICATION SIGN}"
DASH = "\N{EN DASH}"
PEER = "aiomonitor==0.7.1"


class TooLateError(Exception):
    """A child did not answer in time."""


@dataclass
class Setting:
    """Where and how long to measure.

    Attributes:
        python: The interpreter of every child; its environment has the peer, if it could be had.
        peer: The peer's name and version, "" where it is not installed.
        quick: A look, no result.
        environment: Variables of the children.
        end: Monotonic time by which all is to be done; what comes later is left out.
    """

    python: str
    peer: str
    quick: bool
    environment: dict[str, str] = field(default_factory=dict)
    end: float = math.inf

    def share(self, part: float) -> float:
        """When that part of the time that is left will be over, monotonic."""
        now = time.monotonic()
        return now + part * (self.end - now)


@contextmanager
def setting(
    python: str,
    *,
    quick: bool,
    peer: bool = True,
    minutes: float = math.inf,
    peers: Sequence[str] = (PEER,),
) -> Iterator[Setting]:
    """A throwaway environment with the peers, and a place for byte code; gone afterwards."""
    end = time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder)
        (place / "run").mkdir()
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
        }
        variables |= {
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONPYCACHEPREFIX": str(place / "cache"),
            "XDG_RUNTIME_DIR": str(place / "run"),
        }
        found = Setting(python, "", quick, variables, end)
        if peer and peers:
            own = str(place / "env" / "bin" / "python")
            for words in (
                [python, "-m", "venv", str(place / "env")],
                [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peers],
            ):
                done = subprocess.run(words, capture_output=True, text=True, check=False)
                if done.returncode:
                    said = f"{', '.join(peers)} can't be installed: measured without"
                    print(said, file=sys.stderr)
                    break
            else:
                found.python, found.peer = own, ", ".join(peers)
        yield found


class Child:
    """A process that answers each line with one line of JSON."""

    def __init__(self, where: Setting, script: str, *words: str, patience: float = 120.0) -> None:
        self.patience = patience
        self._process = subprocess.Popen(
            [where.python, str(Path(script).resolve()), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=where.environment,
        )

    def read(self, patience: float | None = None) -> Any:
        """Its next answer.

        Raises:
            TooLateError: It did not come, or the child has ended.
        """
        assert self._process.stdout is not None
        limit = self.patience if patience is None else patience
        if not select.select([self._process.stdout], [], [], limit)[0]:
            raise TooLateError
        line = self._process.stdout.readline()
        if not line:
            raise TooLateError
        return json.loads(line)

    def ask(self, line: str, patience: float | None = None) -> Any:
        """Its answer to one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self.read(patience)

    def close(self) -> None:
        """End it: 100,000 tasks need not be cancelled one by one."""
        self._process.kill()
        self._process.communicate()


def say(answer: Any) -> None:
    """In a child: one line of JSON."""
    print(json.dumps(answer), flush=True)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def middle(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, and the ends of the middle half."""
    low, median, high = statistics.quantiles(values, n=4)
    return median, low, high


@dataclass(frozen=True)
class Budget:
    """One line of the table of budgets.

    Attributes:
        what: What is limited.
        measured: What was measured, as a number.
        limit: The budget.
        unit: Printed before a ratio (a times sign), else behind the number.
        noise: A difference up to this means nothing here.
    """

    what: str
    measured: float
    limit: float
    unit: str
    noise: float = 0.0

    def row(self) -> tuple[str, str, str, str]:
        """What, measured, budget, missed by."""
        over = self.measured - self.limit
        if over <= 0:
            missed = ""
        elif over <= self.noise:
            missed = f"{self._text(over)}, within the noise ({self._text(self.noise)})"
        else:
            missed = f"**{self._text(over)}**"
        return self.what, self._text(self.measured), f"≤ {self._text(self.limit)}", missed

    def _text(self, number: float) -> str:
        if self.unit == TIMES:
            return f"{TIMES}{number:.2f}"
        return f"{number:.3g} {self.unit}" if self.unit else f"{number:.0f}"


class Result(Protocol):
    """What a benchmark has found: a table, and the budgets that belong to it."""

    @property
    def text(self) -> str:
        """The table."""

    @property
    def budgets(self) -> Sequence[Budget]:
        """What was to be kept to."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that reads well as text, too."""
    cells = [tuple(head), *map(tuple, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def present(
    about: str | None,
    measure: Callable[[Setting], Result],
    child: Callable[..., Coroutine[Any, Any, None]],
    *,
    words: int,
    quick: str,
    peers: Sequence[str] = (PEER,),
) -> None:
    """The command line of a benchmark: measure and print, or be one of its children.

    Args:
        about: The benchmark's docstring.
        measure: What it does.
        child: What its children do.
        words: How many words a child is told.
        quick: What ``--quick`` leaves of it.
        peers: What is installed to be measured beside it.
    """
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure on")
    parser.add_argument("--child", nargs=words, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        asyncio.run(child(*options.child))
        return
    with setting(options.python, quick=options.quick, peers=peers) as where:
        found = measure(where)
    print(found.text, "", sep="\n")
    print(table(["budget", "measured", "limit", "missed by"], [one.row() for one in found.budgets]))


def duration(seconds: float | None) -> str:
    """Seconds in the unit that suits them."""
    if seconds is None:
        return DASH
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s"


def machine(where: Setting) -> str:
    """One line about where this was measured."""
    told = subprocess.run(
        [where.python, "-c", "import platform as p; print('CPython', p.python_version())"],
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
    kernel = f"{platform.system()} {platform.release().partition('-')[0]}"
    load = f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    peer = where.peer.replace("==", " ") or "no aiomonitor"
    today = date.today()  # noqa: DTZ011 - the day here is meant
    return f"{told}, {kernel}, {model}, {os.cpu_count()} CPUs{load}; {peer}; {today}"


def resident() -> int:
    """Bytes of memory in use; 0 where the system doesn't tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
