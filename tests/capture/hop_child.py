"""Captures on a Python without the GIL, or one that says so; prints JSON.

Nothing of a loop may be read outside of its own thread: reads elsewhere are recorded.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import asyncconsole
from asyncconsole.capture import drafts
from asyncconsole.capture.program import shared

REAL = hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled()
if not REAL:
    sys._is_gil_enabled = lambda: False
THREADS = {}
WRONG = []


def read(draft, **options):
    if threading.get_ident() != THREADS[id(draft.loop)]:
        WRONG.append(draft.number)
    return original(draft, **options)


original, drafts.read = drafts.read, read


class Background:
    """A loop with three tasks in a thread of its own."""

    def __init__(self, name):
        self.name = name
        self.up = threading.Event()
        self.go_on = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.main()), daemon=True, name=name).start()
        assert self.up.wait(20)

    async def main(self):
        self.loop = asyncio.get_running_loop()
        asyncio.current_task().set_name(f"{self.name}-main")
        THREADS[id(self.loop)] = threading.get_ident()
        shared().loops.note(self.loop)
        self.lock = asyncio.Lock()

        async def hold():
            async with self.lock:
                await self.loop.create_future()

        self.tasks = [self.loop.create_task(hold(), name=f"{self.name}-{i}") for i in range(2)]
        await asyncio.sleep(0)
        self.up.set()
        await asyncio.wait(self.tasks)

    def block(self):
        """Stand still until told to go on."""
        standing = threading.Event()
        self.go_on.clear()

        def stand():
            standing.set()
            self.go_on.wait(60)

        self.loop.call_soon_threadsafe(stand)
        assert standing.wait(20)


def plain(snapshot):
    return {
        "tasks": sorted(task.name for task in snapshot.tasks),
        "waits": {task.name: task.wait.kind for task in snapshot.tasks if task.wait},
        "holders": [[holder.name for holder in item.holders] for item in snapshot.resources if item.holders],
        "gaps": [[gap.what, gap.why] for gap in snapshot.gaps],
        "counts": [loop.tasks for loop in snapshot.loops],
        "total": snapshot.total,
    }  # fmt: skip


def churn(stop):
    """Tasks that come and go while others are read."""

    async def step():
        await asyncio.sleep(0)

    async def main():
        loop = asyncio.get_running_loop()
        THREADS[id(loop)] = threading.get_ident()
        shared().loops.note(loop)
        while not stop.is_set():
            await asyncio.gather(*[step() for _ in range(60)])

    asyncio.run(main())


def main():
    Background("one")
    two = Background("two")
    found = {"free": plain(asyncconsole.snapshot())}
    two.block()
    found["blocked"] = plain(asyncconsole.snapshot())
    two.go_on.set()
    found["again"] = plain(asyncconsole.snapshot())

    async def inside():
        THREADS[id(asyncio.get_running_loop())] = threading.get_ident()
        asyncio.current_task().set_name("inside")
        return plain(asyncconsole.snapshot())

    found["inside"] = asyncio.run(inside())
    found["diagnosis"] = len(asyncconsole.diagnose().findings)
    stop = threading.Event()
    churning = threading.Thread(target=churn, args=(stop,), daemon=True)
    churning.start()
    looks = 30 if REAL else 5
    for _ in range(looks):
        asyncconsole.snapshot()
    stop.set()
    churning.join(20)
    found["wrong"] = WRONG
    found["real"] = REAL
    print(json.dumps(found), flush=True)
    os._exit(0)


main()
