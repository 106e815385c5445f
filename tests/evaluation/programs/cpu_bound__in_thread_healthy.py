"""Heavy computation runs in threads; the loop shares the GIL and stays in time."""

import asyncio

EXPECT = {"healthy": True, "like": "cpu_bound"}


def simulate(count):
    return sum(number * number % 7 for number in range(count))


async def price():
    while True:
        await asyncio.to_thread(simulate, 2_000_000)


async def quotes():
    while True:
        await asyncio.sleep(0.1)


async def main():
    tasks = [
        asyncio.create_task(price(), name="price"),
        asyncio.create_task(quotes(), name="quotes"),
    ]
    await asyncio.sleep(0.6)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
