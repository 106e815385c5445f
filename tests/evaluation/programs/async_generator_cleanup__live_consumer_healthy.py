"""An export pauses between rows while it writes each; writers wait for its lock and get it."""

import asyncio

EXPECT = {"healthy": True, "like": "async_generator_cleanup"}


class Database:
    def __init__(self):
        self.lock = asyncio.Lock()
        self.table = list(range(5))

    async def rows(self):
        async with self.lock:
            for row in self.table:
                await asyncio.sleep(0.01)
                yield row

    async def insert(self, row):
        async with self.lock:
            self.table = [*self.table[-4:], row]


async def export(database, file):
    while True:
        async for row in database.rows():
            await asyncio.sleep(0.2)
            file.append(row)
        file.clear()
        await asyncio.sleep(0.1)


async def insert(database):
    row = 5
    while True:
        await database.insert(row)
        row += 1
        await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)


async def main():
    database = Database()
    tasks = [
        asyncio.create_task(export(database, []), name="export"),
        asyncio.create_task(insert(database), name="insert"),
    ]
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
