"""A poller that never sleeps gives the loop its turn after each short look: wasteful, not stuck."""

import asyncio

EXPECT = {"healthy": True, "like": "busy_callbacks"}


class Ring:
    def __init__(self):
        self.items = []
        self.taken = 0


async def poll(ring):
    while True:
        if ring.items:
            ring.items.pop()
            ring.taken += 1
        await asyncio.sleep(0)


async def produce(ring):
    while True:
        ring.items.append(1)
        await asyncio.sleep(0.05)


async def main():
    ring = Ring()
    tasks = [
        asyncio.create_task(poll(ring), name="poll"),
        asyncio.create_task(produce(ring), name="produce"),
    ]
    await asyncio.sleep(0.6)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
