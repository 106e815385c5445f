"""A connector wakes a waiter that has just been cancelled; the slot is free, and nobody wakes the next one."""

import asyncio
import collections
import contextlib

EXPECT = {
    "kind": "lost_wakeup",
    "also": ["never_resolved_future", "pool_exhaustion"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["get:/c"],
    "cause": [],
    "bystanders": ["keepalive"],
    "report": "aio-libs/aiohttp#9670",
    "tracked": False,
}


class Connector:
    def __init__(self, limit):
        self._limit = limit
        self._acquired = set()
        self._waiters = collections.deque()

    async def connect(self, url):
        if len(self._acquired) >= self._limit:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        self._acquired.add(url)

    def release(self, url):
        self._acquired.discard(url)
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break


async def get(connector, url, seconds, prefetch=()):
    await connector.connect(url)
    try:
        await asyncio.sleep(seconds)
    finally:
        connector.release(url)
        for task in prefetch:  # is of no use any more
            task.cancel()


async def keepalive():
    while True:
        await asyncio.sleep(0.1)


async def main():
    connector = Connector(limit=1)
    alive = asyncio.create_task(keepalive(), name="keepalive")
    prefetch = []
    first = asyncio.create_task(get(connector, "/a", 0.1, prefetch), name="get:/a")
    await asyncio.sleep(0.01)
    second = asyncio.create_task(get(connector, "/b", 0.1), name="get:/b")
    await asyncio.sleep(0.01)
    third = asyncio.create_task(get(connector, "/c", 0.1), name="get:/c")
    prefetch.append(second)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(first, second)
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await third
    alive.cancel()


if __name__ == "__main__":
    asyncio.run(main())
