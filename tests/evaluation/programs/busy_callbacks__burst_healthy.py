"""Bursts of callbacks that schedule the next one, two hundred at a time, then a pause."""

import asyncio

EXPECT = {"healthy": True, "like": "busy_callbacks"}


class Batcher:
    def __init__(self):
        self.left = 0
        self.total = 0

    def start(self, count):
        self.left = count
        self.step()

    def step(self):
        self.total += 1
        self.left -= 1
        if self.left > 0:
            asyncio.get_running_loop().call_soon(self.step)


async def produce(batcher):
    while True:
        batcher.start(200)
        await asyncio.sleep(0.3)


async def main():
    producing = asyncio.create_task(produce(Batcher()), name="produce")
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    await producing


if __name__ == "__main__":
    asyncio.run(main())
