"""A pool with a Condition and a list of free connections; a cursor needs a second one for its types."""

import asyncio
import collections

EXPECT = {
    "kind": "pool_exhaustion",
    "also": ["lost_wakeup", "never_resolved_future"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["report:daily", "report:weekly"],
    "cause": [],
    "bystanders": ["cron"],
    "report": "aio-libs/aiopg#113",
    "tracked": False,
}


class Connection:
    def __init__(self, pool):
        self._pool = pool
        self.types = None

    async def fetch(self, table):
        await asyncio.sleep(0.02)
        if self.types is None:
            self.types = await self._pool.read_types()
        return [table, self.types]


class Pool:
    def __init__(self, maxsize):
        self._cond = asyncio.Condition()
        self._free = collections.deque(Connection(self) for _ in range(maxsize))
        self._used = set()

    async def acquire(self):
        async with self._cond:
            while not self._free:
                await self._cond.wait()
            connection = self._free.popleft()
            self._used.add(connection)
            return connection

    async def release(self, connection):
        async with self._cond:
            self._used.discard(connection)
            self._free.append(connection)
            self._cond.notify()

    async def read_types(self):
        connection = await self.acquire()
        try:
            await asyncio.sleep(0.01)
            return {"hstore": 16385}
        finally:
            await self.release(connection)


async def report(pool, table):
    connection = await pool.acquire()
    try:
        return await connection.fetch(table)
    finally:
        await pool.release(connection)


async def cron():
    while True:
        await asyncio.sleep(0.1)


async def main():
    pool = Pool(2)
    schedule = asyncio.create_task(cron(), name="cron")
    reports = [
        asyncio.create_task(report(pool, name), name=f"report:{name}")
        for name in ("daily", "weekly", "monthly")
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*reports)
    schedule.cancel()


if __name__ == "__main__":
    asyncio.run(main())
