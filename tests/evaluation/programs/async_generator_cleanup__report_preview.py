"""A preview leaves the rows of a query with break; the open generator keeps the database lock."""

import asyncio

EXPECT = {
    "kind": "async_generator_cleanup",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["order:insert"],
    "cause": ["rows"],
    "bystanders": ["vacuum"],
    "report": "omnilib/aiosqlite#306",
}


class Database:
    def __init__(self):
        self.lock = asyncio.Lock()
        self.table = [f"row {number}" for number in range(100)]

    async def rows(self):
        async with self.lock:
            for row in self.table:
                await asyncio.sleep(0.001)
                yield row

    async def insert(self, row):
        async with self.lock:
            self.table.append(row)


class Report:
    def __init__(self, database):
        self.cursor = database.rows()
        self.lines = []

    async def preview(self):
        async for row in self.cursor:
            self.lines.append(row)
            if len(self.lines) == 5:
                break


async def preview_page(database, pages):
    report = Report(database)
    await report.preview()
    pages.append(report)
    await asyncio.sleep(3600)  # the page stays open


async def vacuum(database):
    while True:
        await asyncio.sleep(0.4)
        del database.table[200:]


async def main():
    database = Database()
    pages = []
    tasks = [
        asyncio.create_task(vacuum(database), name="vacuum"),
        asyncio.create_task(preview_page(database, pages), name="report:preview"),
    ]
    await asyncio.sleep(0.3)
    insert = asyncio.create_task(database.insert("order 17"), name="order:insert")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.wait([*tasks, insert], return_when=asyncio.ALL_COMPLETED)


if __name__ == "__main__":
    asyncio.run(main())
