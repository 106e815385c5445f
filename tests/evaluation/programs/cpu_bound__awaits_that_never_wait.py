"""A compactor awaits at every step, a free lock and a full cache: it never gives up its turn."""

import asyncio

EXPECT = {
    "kind": "cpu_bound",
    "also": [],
    "verdict": ["stall"],
    "stuck": ["compactor"],
    "cause": ["compact"],
    "bystanders": ["raft-heartbeat", "client"],
    "report": "python/cpython#87285",
}


class Log:
    def __init__(self):
        self.lock = asyncio.Lock()
        self.segments = {number: number * 3 for number in range(1000)}
        self.merged = 0

    async def read(self, number):
        async with self.lock:
            return self.segments[number]

    async def merge(self, one, other):
        self.merged += 1
        return (await self.read(one)) + (await self.read(other))

    async def compact(self):
        await asyncio.sleep(0.3)
        print("READY", flush=True)
        while True:
            for number in range(999):
                await self.merge(number, number + 1)


async def every(seconds):
    while True:
        await asyncio.sleep(seconds)


async def main():
    log = Log()
    await asyncio.gather(
        asyncio.create_task(every(0.15), name="raft-heartbeat"),
        asyncio.create_task(every(0.05), name="client"),
        asyncio.create_task(log.compact(), name="compactor"),
    )


if __name__ == "__main__":
    asyncio.run(main())
