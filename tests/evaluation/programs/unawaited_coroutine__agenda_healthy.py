"""An agenda keeps coroutine objects for their hour; each is awaited when its time comes."""

import asyncio
import heapq
import itertools

EXPECT = {"healthy": True, "like": "unawaited_coroutine"}


class Agenda:
    def __init__(self):
        self.heap = []
        self.numbers = itertools.count()
        self.sent = []

    async def remind(self, what):
        await asyncio.sleep(0.05)
        self.sent.append(what)

    def plan(self, when, what):
        heapq.heappush(self.heap, (when, next(self.numbers), self.remind(what)))

    async def run(self):
        loop = asyncio.get_running_loop()
        while True:
            when, _, reminder = self.heap[0]
            await asyncio.sleep(max(0, when - loop.time()))
            heapq.heappop(self.heap)
            await reminder
            self.plan(loop.time() + 300, "again")


async def main():
    agenda = Agenda()
    now = asyncio.get_running_loop().time()
    for number in range(1000):
        agenda.plan(now + number * 0.3, f"tea {number}")
    running = asyncio.create_task(agenda.run(), name="agenda")
    await asyncio.sleep(0.8)
    print("READY", flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(main())
