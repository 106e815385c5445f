"""Each request takes a connection, and its audit takes a second one from the same pool of three."""

import asyncio
from contextlib import asynccontextmanager

EXPECT = {
    "kind": "pool_exhaustion",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["request-1", "request-2", "request-3"],
    "cause": [],
    "bystanders": ["lb-probe"],
    "report": "MagicStack/asyncpg#5",
    "tracked": False,
}


class Connection:
    def __init__(self, number):
        self.number = number

    async def execute(self, statement):
        await asyncio.sleep(0.03)
        return f"{statement} on {self.number}"


class Pool:
    def __init__(self, size):
        self._free = asyncio.Queue()
        for number in range(size):
            self._free.put_nowait(Connection(number))

    @asynccontextmanager
    async def acquire(self):
        connection = await self._free.get()
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)


async def audit(pool, text):
    async with pool.acquire() as connection:
        await connection.execute(f"insert into audit values ({text!r})")


async def handle(pool, number):
    async with pool.acquire() as connection:
        await connection.execute("select 1")
        await audit(pool, f"request {number}")
        await connection.execute("commit")


async def probe():
    while True:
        await asyncio.sleep(0.1)


async def main():
    pool = Pool(3)
    probing = asyncio.create_task(probe(), name="lb-probe")
    requests = [
        asyncio.create_task(handle(pool, number), name=f"request-{number}")
        for number in range(1, 6)
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*requests)
    probing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
