"""Ten clients share a pool of two connections whose queries are slow; all get their turn."""

import asyncio
from contextlib import asynccontextmanager

EXPECT = {"healthy": True, "like": "pool_exhaustion"}


class Pool:
    def __init__(self, size):
        self._free = asyncio.Queue()
        for number in range(size):
            self._free.put_nowait(f"connection-{number}")

    @asynccontextmanager
    async def acquire(self):
        connection = await self._free.get()
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)


async def client(pool):
    while True:
        async with pool.acquire():
            await asyncio.sleep(1.5)


async def main():
    pool = Pool(2)
    clients = [asyncio.create_task(client(pool), name=f"client-{number}") for number in range(10)]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*clients)


if __name__ == "__main__":
    asyncio.run(main())
