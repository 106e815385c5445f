"""What tracking costs: the same work with and without it, side by side in one process.

``python benchmarks/tracking.py``

Each round runs every variant once, in turn; the table has the median of the rounds' ratios.
"""

from __future__ import annotations

import asyncio
import platform
import statistics
import time
from collections.abc import Awaitable, Callable

from asyncconsole.track.tracker import tracker

ROUNDS = 7
TASKS = 10_000
LOCKS = 40_000
DEPTH = 9


async def noop() -> None:
    """The task whose life is timed."""


async def tasks() -> None:
    for _ in range(TASKS):
        await asyncio.create_task(noop())


async def with_lock() -> None:
    lock = asyncio.Lock()
    for _ in range(LOCKS):
        async with lock:
            pass


async def pairs() -> None:
    lock = asyncio.Lock()
    for _ in range(LOCKS):
        await lock.acquire()
        lock.release()


async def contended() -> None:
    lock = asyncio.Lock()

    async def take() -> None:
        for _ in range(LOCKS // 40):
            async with lock:
                await asyncio.sleep(0)

    await asyncio.gather(*(take() for _ in range(4)))


async def deep(level: int, work: Callable[[], Awaitable[None]]) -> None:
    """``work`` below a few more frames, so that a long chain is really long."""
    await (deep(level - 1, work) if level else work())


async def timed(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await deep(DEPTH, work)
    return time.perf_counter() - began


async def compare(name: str, work: Callable[[], Awaitable[None]], count: int, **how: int) -> None:
    """Print one row."""
    ratios, base = [], []
    for _ in range(ROUNDS):
        tracker().configure(tasks=False, locks=False)
        plain = await timed(work)
        tracker().configure(**how)  # type: ignore[arg-type]  # numbers and switches
        ratios.append(await timed(work) / plain)
        base.append(plain)
    tracker().configure(tasks=False, locks=False)
    each = statistics.median(base) / count * 1e9
    ratio = statistics.median(ratios)
    print(f"{name:44} {each:8.0f} ns  x{ratio:.2f}  {each * (ratio - 1):+6.0f} ns")


async def main() -> None:
    print(f"CPython {platform.python_version()}, {platform.machine()}")
    await compare("task create + await, 1 frame", tasks, TASKS, tasks=1)
    await compare("task create + await, 5 frames (default)", tasks, TASKS, tasks=5)
    await compare("task create + await, 10 frames", tasks, TASKS, tasks=10)

    await compare("async with lock", with_lock, LOCKS, locks=True)
    await compare("lock.acquire(), release()", pairs, LOCKS, locks=True)
    await compare("async with lock, contended", contended, LOCKS // 10, locks=True)


if __name__ == "__main__":
    asyncio.run(main())
