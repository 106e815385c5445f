"""Requests that time out between taking their slot and using it never give the slot back."""

import asyncio
import contextlib

EXPECT = {
    "kind": "permit_leak",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["fetch:c", "fetch:d"],
    "cause": ["fetch:a"],
    "bystanders": ["dns-refresh"],
    "report": "encode/httpx#1461",
    "tracked": False,
}


class ConnectionPool:
    def __init__(self, max_connections):
        self._slots = asyncio.Semaphore(max_connections)
        self._connections = []

    async def connect(self, host):
        await asyncio.sleep(0.5 if host.startswith("slow") else 0.01)
        self._connections.append(host)
        return host

    async def request(self, host):
        await self._slots.acquire()
        connection = await self.connect(host)
        try:
            return f"200 from {connection}"
        finally:
            self._connections.remove(connection)
            self._slots.release()


async def fetch(pool, host):
    return await pool.request(host)


async def refresh_dns():
    while True:
        await asyncio.sleep(0.1)


async def main():
    pool = ConnectionPool(2)
    refresh = asyncio.create_task(refresh_dns(), name="dns-refresh")
    slow = [asyncio.create_task(fetch(pool, f"slow-{name}"), name=f"fetch:{name}") for name in "ab"]
    await asyncio.sleep(0.1)
    for task in slow:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    del slow, task
    rest = [asyncio.create_task(fetch(pool, f"host-{name}"), name=f"fetch:{name}") for name in "cd"]
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(*rest)
    refresh.cancel()


if __name__ == "__main__":
    asyncio.run(main())
