"""Which of a thousand injected stalls are told, and how well: beside other tools, in one run.

``python benchmarks/stalls.py [--quick]``

A loop with some tasks is blocked again and again, in six ways, each in a function of its own, for
two to three and a half times the threshold. Every side runs the same; what it tells is matched with
what was injected by time. All sides' costs are those of turns of the loop that do nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from measure import TIMES, Budget, Child, Setting, present, say, table

PEERS = ("aiodebug==2.3.0", "pyleak==0.2.0")
SIDES = ("plain", "console", "debug", "aiodebug", "aiodebug hangs", "pyleak")
THRESHOLD = 0.1
MOST = 1000
FEW = 120
"""Stalls for the other tools; each takes a third of a second."""
NEAR = 0.06
"""Seconds by which a report may miss the stall it belongs to."""
ROUNDS = 5
TURNS = 20_000


@dataclass
class Injected:
    """One stall that was made."""

    kind: str
    function: str
    start: float
    end: float


@dataclass
class Told:
    """One report: when it says the stall was, its kind if it names one, and its words."""

    start: float
    end: float
    kind: str
    words: str


def sleeps(seconds: float) -> None:
    time.sleep(seconds)


def computes(seconds: float) -> None:
    end = time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < end:
        number += sum(range(100))


def waits_for_a_lock(seconds: float) -> None:
    lock = threading.Lock()
    lock.acquire()
    timer = threading.Timer(seconds, lock.release)
    timer.start()
    with lock:
        timer.join()


def receives(seconds: float) -> None:
    near, far = socket.socketpair()
    timer = threading.Timer(seconds, far.send, (b"x",))
    timer.start()
    near.recv(1)
    timer.join()
    near.close()
    far.close()


def runs_a_program(seconds: float) -> None:
    subprocess.run(["sleep", str(seconds)], check=True)


def holds_the_gil(seconds: float) -> None:
    count = round(seconds / GIL[0])
    began = time.perf_counter()
    sum(range(count))  # one call of C code, which never looks up
    GIL[0] = (time.perf_counter() - began) / count


GIL = [1e-8]
"""Seconds that one number takes it, as measured the last time: machines have their moods."""

WAYS: dict[Callable[[float], None], str] = {
    sleeps: "blocking_call",
    receives: "blocking_call",
    waits_for_a_lock: "blocking_call",
    runs_a_program: "blocking_call",
    computes: "cpu_bound",
    holds_the_gil: "gil_holding_c_call",
}
"""How the loop is blocked, and the kind that is right."""


async def handles(way: Callable[[float], None], seconds: float) -> None:
    """A coroutine of the program's, in which the mistake is."""
    await asyncio.sleep(0)
    way(seconds)


async def ticks() -> None:
    while True:  # noqa: ASYNC110 - turns without end are what it is for
        await asyncio.sleep(0.02)


class Lines(logging.Handler):
    """Log records as reports: each says how long, and came when it was over."""

    def __init__(self, told: list[Told]) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        """Take one in."""
        words = record.getMessage()
        took = [float(word) for word in words.replace("s)", " ").split() if _is_number(word)]
        if "took" in words or "Duration" in words:
            _, stamped, when = words.partition("Timestamp: ")
            # One that tells at its end of all has noted when each was.
            now = float(when.split()[0]) if stamped else time.time()
            self._told.append(Told(now - max(took, default=0.0), now, "", words))


def _is_number(word: str) -> bool:
    with contextlib.suppress(ValueError):
        return float(word) < 60  # noqa: PLR2004 - a duration, and no time of day
    return False


@contextlib.asynccontextmanager
async def watched(side: str, told: list[Told]) -> AsyncIterator[None]:
    """Have the loop watched by one of the sides."""
    loop = asyncio.get_running_loop()
    logging.basicConfig(level=logging.WARNING, handlers=[Lines(told)], force=True)
    if side == "console":
        import asyncconsole  # noqa: PLC0415 - the other sides must not have it

        def heard(stall: Any) -> None:
            if not stall.ongoing:
                began = datetime.fromisoformat(stall.started_at.replace("Z", "+00:00")).timestamp()
                where = stall.frame.function if stall.frame is not None else ""
                told.append(Told(began, began + stall.duration, stall.kind, where))

        with asyncconsole.start(port=0, stall_threshold=THRESHOLD, on_stall=heard):
            yield
    elif side == "debug":
        loop.slow_callback_duration = THRESHOLD
        loop.set_debug(True)
        yield
    elif side == "aiodebug":
        from aiodebug import log_slow_callbacks  # noqa: PLC0415 - as above

        log_slow_callbacks.enable(THRESHOLD)
        yield
    elif side == "aiodebug hangs":
        from aiodebug import hang_inspection  # noqa: PLC0415 - as above

        with tempfile.TemporaryDirectory() as folder:
            dumper, beats = hang_inspection.start(folder, THRESHOLD, loop)
            yield
            dumper.stop = True
            beats.cancel()
            for file in sorted(Path(folder).iterdir()):  # noqa: ASYNC240 - all is over
                at = datetime.strptime(file.name[11:33], "%Y%m%d-%H%M%S.%f").timestamp()  # noqa: DTZ007 - local, as it was written
                told.append(Told(at, at, "", file.read_text()))
    elif side == "pyleak":
        from pyleak import no_event_loop_blocking  # noqa: PLC0415 - as above

        async with no_event_loop_blocking(action="log", threshold=THRESHOLD):
            yield
    else:
        yield


async def child(side: str, count: str) -> None:
    """Say what was injected and what was told of it; then what turns of the loop cost."""
    told: list[Told] = []
    made: list[Injected] = []
    chance = random.Random(7)
    began = time.perf_counter()
    sum(range(5_000_000))
    GIL[0] = (time.perf_counter() - began) / 5_000_000
    async with watched(side, told):
        ticking = [asyncio.create_task(ticks()) for _ in range(10)]
        await asyncio.sleep(0.5)
        for number in range(int(count)):
            way = list(WAYS)[number % len(WAYS)]
            seconds = chance.uniform(2.1, 3.5) * THRESHOLD
            start = time.time()
            await asyncio.create_task(handles(way, seconds), name=f"handler-{number}")
            made.append(Injected(WAYS[way], way.__name__, start, time.time()))
            await asyncio.sleep(chance.uniform(0.05, 0.15))
        await asyncio.sleep(0.5)
        costs = [await turns() for _ in range(ROUNDS if int(count) else 1)]
        for task in ticking:
            task.cancel()
    say([[vars(one) for one in made], [vars(one) for one in told], statistics.median(costs)])


async def turns() -> float:
    """Seconds of CPU for a turn of the loop."""
    began = time.process_time()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    return (time.process_time() - began) / TURNS


@dataclass
class Found:
    """What one side told of what was injected."""

    side: str
    made: int = 0
    seen: int = 0
    kind: int = 0
    frame: int = 0
    false: int = 0
    twice: int = 0
    cost: float = 0.0
    missed: dict[str, int] = field(default_factory=dict)

    def row(self, plain: float) -> tuple[str, ...]:
        """One row of the table."""
        if self.side == "plain":
            return ("plain", str(self.made), "", "", "", "", f"{TIMES}1.00")
        kinds = f"{self.kind / self.made:.1%}" if self.side == "console" else "says none"
        return (
            self.side,
            str(self.made),
            f"{self.seen / self.made:.1%}",
            f"{self.frame / self.made:.1%}",
            kinds,
            str(self.false),
            f"{TIMES}{self.cost / plain:.2f}",
        )


def judged(side: str, made: list[Injected], told: list[Told], cost: float) -> Found:
    """Match reports with what was injected."""
    found = Found(side, len(made), cost=cost)
    used: set[int] = set()
    for one in made:
        mine = [
            (index, report)
            for index, report in enumerate(told)
            if report.start < one.end + NEAR and report.end > one.start - NEAR
        ]
        used.update(index for index, _ in mine)
        if not mine and one.end - one.start < 2 * THRESHOLD:
            found.made -= 1  # the machine was faster than when that was measured: no such stall
            continue
        if not mine:
            found.missed[one.function] = found.missed.get(one.function, 0) + 1
            continue
        found.seen += 1
        found.twice += len(mine) > 1
        found.kind += any(report.kind == one.kind for _, report in mine)
        found.frame += any(one.function in report.words for _, report in mine)
    found.false = len(told) - len(used)
    return found


@dataclass
class Outcome:
    """The table and the budgets."""

    sides: list[Found]

    @property
    def text(self) -> str:
        """The table, and what was missed."""
        plain = next(one.cost for one in self.sides if one.side == "plain")
        head = ["side", "stalls", "told", "very function", "right kind", "false", "CPU of a turn"]
        lines = [table(head, [one.row(plain) for one in self.sides])]
        for one in self.sides:
            if one.missed and one.side != "plain":
                which = ", ".join(f"{name} {count}" for name, count in sorted(one.missed.items()))
                lines.append(f"- {one.side} missed: {which}")
        return "\n".join(lines)

    @property
    def budgets(self) -> list[Budget]:
        """What the issue asks of the console."""
        ours = next(one for one in self.sides if one.side == "console")
        plain = next(one.cost for one in self.sides if one.side == "plain")
        return [
            Budget("stalls missed", ours.made - ours.seen, 0, ""),
            Budget("wrong kind", 100 * (1 - ours.kind / ours.made), 2, "%"),
            Budget("wrong frame", 100 * (1 - ours.frame / ours.made), 1, "%"),
            Budget("false reports", ours.false, 0, ""),
            Budget(
                "a turn of the loop, probe at 20 beats a second", ours.cost / plain, 1.02, TIMES
            ),
        ]


def measure(where: Setting) -> Outcome:
    """Every side, one after the other."""
    sides = []
    for side in SIDES:
        count = 0 if side == "plain" else MOST if side == "console" else FEW
        if where.quick:
            count = min(count, 60)
        running = Child(where, __file__, "--child", side, str(count), patience=900)
        try:
            made, told, cost = running.read()
        finally:
            running.close()
        found = judged(side, [Injected(**one) for one in made], [Told(**one) for one in told], cost)
        print(found, file=sys.stderr)
        sides.append(found)
    return Outcome(sides)


if __name__ == "__main__":
    present(__doc__, measure, child, words=2, quick="60 stalls a side", peers=PEERS)
