"""agronholm/anyio#398, behind encode/httpcore#454: cancelled in `async with lock`, with the lock.

With anyio before 3.4.0 a task that is cancelled in the checkpoint after it has got the lock
leaves `__aenter__` by an exception: `__aexit__` never runs, and nobody gives the lock back.

Usage: anyio_abandoned.py FOLDER-WITH-THAT-ANYIO
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

sys.path.insert(0, sys.argv[1])

import anyio

from tests.libraries.hangs.stage import hang, run, spawn

LOCK = None


async def stop(service):
    await asyncio.sleep(1)  # what runs may end by itself
    async with LOCK:
        await asyncio.sleep(0)
    return service


async def main():
    global LOCK  # noqa: PLW0603 - that the console finds the name of a global is what is tested
    LOCK = anyio.Lock()
    first = spawn(stop("cache"), "stop:cache")
    while not LOCK.locked():
        await asyncio.sleep(0)
    first.cancel()  # it has the lock, and is still on its way in
    with contextlib.suppress(asyncio.CancelledError):
        await first
    del first
    tasks = [spawn(stop(name), f"stop:{name}") for name in ("db", "mail")]
    await hang(lambda: len(LOCK._waiters) == len(tasks))


run(main)
