"""A lock tells its server before it frees itself; a request cancelled in that moment leaves it taken."""

import asyncio
import contextlib

EXPECT = {
    "kind": "abandoned_lock",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["request:2"],
    "cause": ["_local"],
    "bystanders": ["pinger"],
    "report": "redis/redis-py#3847",
    "tracked": False,
}


class CacheLock:
    """Guards one key: a lock on this side, and a token on the server's."""

    def __init__(self, key):
        self.key = key
        self.token = None
        self._local = asyncio.Lock()

    async def __aenter__(self):
        await self._local.acquire()
        await asyncio.sleep(0.01)  # SET key token NX
        self.token = f"token-of-{self.key}"
        return self

    async def __aexit__(self, *exc_info):
        self.token = None
        await asyncio.sleep(0.05)  # DEL key
        self._local.release()


async def refresh(lock, seconds):
    async with lock:
        await asyncio.sleep(seconds)


async def request(lock, seconds, limit):
    try:
        await asyncio.wait_for(refresh(lock, seconds), limit)
    except asyncio.TimeoutError:
        return "503"
    return "200"


async def ping():
    while True:
        await asyncio.sleep(0.1)


async def main():
    lock = CacheLock("prices")
    pinger = asyncio.create_task(ping(), name="pinger")
    first = asyncio.create_task(request(lock, 0.02, 0.05), name="request:1")
    with contextlib.suppress(Exception):
        await first
    second = asyncio.create_task(request(lock, 0.02, None), name="request:2")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await second
    pinger.cancel()


if __name__ == "__main__":
    asyncio.run(main())
