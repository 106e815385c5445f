"""Bursts of a thousand short tasks come and are done before the next one."""

import asyncio

EXPECT = {"healthy": True, "like": "unbounded_fan_out"}


async def resize(slots, number):
    async with slots:
        await asyncio.sleep(0.001)
        return number


async def gallery(slots):
    while True:
        await asyncio.gather(*(resize(slots, number) for number in range(1000)))
        await asyncio.sleep(0.3)


async def main():
    slots = asyncio.Semaphore(100)
    running = asyncio.create_task(gallery(slots), name="gallery")
    await asyncio.sleep(2)
    print("READY", flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(main())
