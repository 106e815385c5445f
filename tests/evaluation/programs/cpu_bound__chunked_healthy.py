"""A long computation in slices that gives the loop its turn after each."""

import asyncio

EXPECT = {"healthy": True, "like": "cpu_bound"}


def piece(start):
    return sum(number * number % 7 for number in range(start, start + 20_000))


async def simulate():
    total, start = 0, 0
    while True:
        total += piece(start)
        start += 20_000
        await asyncio.sleep(0)


async def quotes(late):
    while True:
        await asyncio.sleep(0.1)
        late.append(len(late))
        del late[:-5]


async def main():
    tasks = [
        asyncio.create_task(simulate(), name="simulate"),
        asyncio.create_task(quotes([]), name="quotes"),
    ]
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
