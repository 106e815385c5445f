"""Requests hold a connection of one pool and wait for one of another, whose users need the first no more."""

import asyncio
from contextlib import asynccontextmanager

EXPECT = {"healthy": True, "like": "pool_exhaustion"}


class Pool:
    def __init__(self, name, size):
        self.name = name
        self._idle = [f"{name}-{number}" for number in range(size)]
        self._slots = asyncio.Semaphore(size)

    @asynccontextmanager
    async def connection(self):
        async with self._slots:
            connection = self._idle.pop()
            try:
                yield connection
            finally:
                self._idle.append(connection)


async def handle(primary, replica):
    while True:
        async with primary.connection(), replica.connection():
            await asyncio.sleep(2)


async def export(replica):
    while True:
        async with replica.connection():
            await asyncio.sleep(3)


async def main():
    primary, replica = Pool("primary", 3), Pool("replica", 1)
    tasks = [asyncio.create_task(handle(primary, replica), name=f"request:{n}") for n in range(5)]
    tasks.append(asyncio.create_task(export(replica), name="export"))
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
