"""Looks at a loop whose tasks come and go, beside one that is blocked; prints what was seen."""

from __future__ import annotations

import asyncio
import json
import sys
import threading

from asyncconsole.serve.live import LiveTarget

LOOKS = 4


async def flow(ended):
    while not ended.is_set():
        await asyncio.gather(*(asyncio.sleep(0.02) for _ in range(3)))


async def block(ready, release):
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: (loop.call_soon(int), ready.set(), release.wait(60)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def look():
    target = LiveTarget(asyncio.get_running_loop(), stall_threshold=0)
    seen = []
    for _ in range(LOOKS):
        found = await target.snapshot("tasks")
        seen.append([[task.coro, task.state, len(task.frames)] for task in found.tasks])
    target.close()
    return seen


def main():
    ready, release, ended = (threading.Event() for _ in range(3))
    threads = [
        threading.Thread(target=asyncio.run, args=(block(ready, release),), daemon=True),
        threading.Thread(target=asyncio.run, args=(flow(ended),), daemon=True),
    ]
    for thread in threads:
        thread.start()
    assert ready.wait(30)
    seen = asyncio.run(look())
    ended.set()
    release.set()
    for thread in threads:
        thread.join(30)
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
