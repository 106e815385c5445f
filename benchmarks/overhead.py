"""What a console that nobody talks to costs its program, side by side with others.

``python benchmarks/overhead.py [--quick]``

Children run the same work, each with something else beside it. They take turns, round by
round; a ratio is the median of the rounds' ratios to the plain child.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from measure import TIMES, Budget, Child, Setting, middle, present, say, table
from sides import available, beside


async def noop() -> None:
    """The task whose life is timed."""


async def spawn(count: int) -> None:
    for _ in range(count):
        await asyncio.create_task(noop())


async def gather(count: int) -> None:
    for _ in range(count // 100):
        await asyncio.gather(*(noop() for _ in range(100)))


async def with_lock(count: int) -> None:
    lock = asyncio.Lock()
    for _ in range(count):
        async with lock:
            pass


async def pair(count: int) -> None:
    lock = asyncio.Lock()
    for _ in range(count):
        await lock.acquire()
        lock.release()


async def semaphore(count: int) -> None:
    permits = asyncio.Semaphore(10)
    for _ in range(count):
        async with permits:
            pass


async def queue(count: int) -> None:
    line: asyncio.Queue[int] = asyncio.Queue(100)

    async def take() -> None:
        for _ in range(count):
            await line.get()

    taker = asyncio.create_task(take())
    for number in range(count):
        await line.put(number)
    await taker


WORK: dict[str, tuple[str, Callable[[int], Awaitable[None]], int]] = {
    "spawn": ("create a task and await it", spawn, 6_000),
    "gather": ("`gather` of 100 coroutines, each", gather, 6_000),
    "with": ("`async with lock`, uncontended", with_lock, 100_000),
    "pair": ("`acquire()` … `release()`", pair, 100_000),
    "semaphore": ("`async with semaphore`", semaphore, 80_000),
    "queue": ("queue: put and get", queue, 30_000),
}
"""Work, what it is called, and how often it is done in a round of some 50 ms."""

SLOWER = {"debug": 20, "aiomonitor + hook": 10}
"""Sides that do a part of a round only, so that a run ends the same day."""

LIMITS = {
    ("console", "spawn"): 1.02,
    ("tracked", "spawn"): 1.10,
    ("tracked 10", "spawn"): 1.50,
    ("console", "with"): 1.00,
    ("tracked", "with"): 1.10,
    ("tracked", "pair"): 1.60,
}


async def child(side: str) -> None:
    """Answer each line of stdin, the name of a work, with nanoseconds per operation.

    CPU time of the whole process: what a console's thread uses counts as its cost, what
    other processes of the machine use does not.
    """
    logging.disable()  # debug mode logs every slow round
    loop = asyncio.get_running_loop()
    with beside(side):
        while name := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            _, work, count = WORK[name]
            count //= SLOWER.get(side, 1)
            gc.collect()
            before = time.process_time_ns()
            await work(count)
            say((time.process_time_ns() - before) / count)


@dataclass(frozen=True)
class Overhead:
    """What was found."""

    text: str
    budgets: list[Budget]


def measure(where: Setting) -> Overhead:
    """Run every side and work."""
    sides = available(where.peer)
    rounds = 5 if where.quick else 21
    children = {side: Child(where, __file__, "--child", side) for side in sides}
    rows, budgets = [], []
    try:
        for index, (name, (what, _, _)) in enumerate(WORK.items()):
            end = where.share(0.4 / (len(WORK) - 0.4 * index))
            for one in children.values():
                one.ask(name)  # warm
            times: dict[str, list[float]] = {side: [] for side in sides}
            for turn in range(rounds):
                if turn > 3 and time.monotonic() > end:  # noqa: PLR2004 - quartiles need some
                    break
                for side in sides if turn % 2 else reversed(sides):
                    times[side].append(children[side].ask(name))
            plain = times["plain"]
            cells = [what, f"{middle(plain)[0]:,.0f} ns"]
            noise = 0.0
            for side in sides[1:]:
                ratio, low, high = middle(
                    [mine / base for mine, base in zip(times[side], plain, strict=True)]
                )
                if side == "control":
                    noise = max(abs(low - 1), abs(high - 1))
                    cells.append(f"{TIMES}{low:.2f} … {high:.2f}")
                else:
                    cells.append(f"{TIMES}{ratio:.2f}")
                limit = LIMITS.get((side, name))
                if limit is not None:
                    budgets.append(Budget(f"{what}: {side}", ratio, limit, TIMES, noise))
            rows.append(cells)
    finally:
        for one in children.values():
            one.close()
    head = ["work", "plain", "control (noise)", *sides[2:]]
    return Overhead(table(head, rows), budgets)


if __name__ == "__main__":
    present(__doc__, measure, child, words=1, quick="fewer rounds: a look, no result")
