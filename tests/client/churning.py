"""A program whose threads make and drop frames and tasks as fast as they can: ``churning.py``.

Says ``ready``; when stdin ends it checks what it has computed, and says ``right`` and how much.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading

import asyncconsole

WORKERS = 3
DEEP = 12


def fibonacci(number):
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


def sums(depth):
    """Generators within generators, each frame gone as soon as it is made."""
    if depth:
        yield from sums(depth - 1)
    yield depth


def churn(over, counts, index):
    while not over.is_set():
        assert fibonacci(DEEP) == 144
        assert sum(sums(DEEP)) == DEEP * (DEEP + 1) // 2
        with contextlib.suppress(ValueError):
            int("none")
        counts[index] += 1


async def leaf(lock, number):
    async with lock:
        await asyncio.sleep(0)
        return number


async def tree(lock, number):
    async with asyncio.timeout(60) if sys.version_info >= (3, 11) else lock:
        return sum(await asyncio.gather(*(leaf(asyncio.Lock(), number) for _ in range(8))))


async def forgotten():
    """Only a frozen copy can tell that nothing will ever end this."""
    await asyncio.get_running_loop().create_future()


async def main():
    lost = asyncio.create_task(forgotten())
    over = threading.Event()
    counts = [0] * WORKERS
    workers = [threading.Thread(target=churn, args=(over, counts, i)) for i in range(WORKERS)]
    for worker in workers:
        worker.start()
    print("ready", flush=True)
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    trees = 0
    while not ended.done():
        lock = asyncio.Lock()
        tasks = [asyncio.create_task(tree(lock, number)) for number in range(20)]
        assert sum(await asyncio.gather(*tasks)) == 8 * sum(range(20))
        trees += 1
    lost.cancel()
    over.set()
    for worker in workers:
        worker.join()
    print("right", min(counts), trees, flush=True)


with asyncconsole.start(port=0, stall_threshold=0.02, track_tasks=True, track_locks=True):
    asyncio.run(main())
