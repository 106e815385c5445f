"""A consumer fails amid a stream; the kept exception keeps the frame, and that the generator."""

import asyncio

EXPECT = {
    "kind": "async_generator_cleanup",
    "also": ["abandoned_lock"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["writer"],
    "cause": ["stream"],
    "bystanders": ["compaction"],
    "report": "omnilib/aiosqlite#306",
}


class Table:
    def __init__(self):
        self.lock = asyncio.Lock()
        self.rows = [1, 2, None, 4]

    async def stream(self):
        async with self.lock:
            for row in self.rows:
                await asyncio.sleep(0.01)
                yield row

    async def append(self, row):
        async with self.lock:
            self.rows.append(row)


async def total(table):
    rows = table.stream()
    result = 0
    async for row in rows:
        result += row  # a TypeError at the empty cell
    return result


async def compaction():
    while True:
        await asyncio.sleep(0.3)


async def main():
    table = Table()
    compacting = asyncio.create_task(compaction(), name="compaction")
    sums = [asyncio.create_task(total(table), name="sum:jan")]
    failures = await asyncio.gather(*sums, return_exceptions=True)
    writing = asyncio.create_task(table.append(5), name="writer")
    await asyncio.sleep(0.4)
    print("READY", flush=True)
    await writing
    print(failures, flush=True)
    compacting.cancel()


if __name__ == "__main__":
    asyncio.run(main())
