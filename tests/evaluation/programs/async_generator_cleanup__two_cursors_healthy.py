"""Readers pause amid their cursors, each with a session; more readers wait, and get theirs."""

import asyncio

EXPECT = {"healthy": True, "like": "async_generator_cleanup"}


class Pool:
    def __init__(self):
        self.sessions = asyncio.Semaphore(2)

    async def cursor(self, count):
        async with self.sessions:
            for number in range(count):
                await asyncio.sleep(0.01)
                yield number


async def reader(pool, seen):
    while True:
        cursor = pool.cursor(3)
        async for number in cursor:
            await asyncio.sleep(0.25)
            if number == 1:
                break
        await cursor.aclose()
        seen.append(number)
        del seen[:-10]


async def main():
    pool, seen = Pool(), []
    readers = [
        asyncio.create_task(reader(pool, seen), name=f"reader-{number}") for number in range(4)
    ]
    await asyncio.sleep(0.8)
    print("READY", flush=True)
    await asyncio.gather(*readers)


if __name__ == "__main__":
    asyncio.run(main())
