"""Two philosophers take their forks crosswise, but give up after some seconds, and try again."""

import asyncio

EXPECT = {"healthy": True, "like": "lock_cycle"}


async def dine(first, second, patience, eaten):
    while True:
        async with first:
            await asyncio.sleep(0.1)
            try:
                await asyncio.wait_for(second.acquire(), patience)
            except asyncio.TimeoutError:
                continue
            eaten.append(patience)
            second.release()
        await asyncio.sleep(0.1)


async def main():
    left, right = asyncio.Lock(), asyncio.Lock()
    eaten = []
    dinners = [
        asyncio.create_task(dine(left, right, 6, eaten), name="philosopher:kant"),
        asyncio.create_task(dine(right, left, 8, eaten), name="philosopher:hume"),
    ]
    await asyncio.sleep(0.4)
    print("READY", flush=True)
    await asyncio.gather(*dinners)


if __name__ == "__main__":
    asyncio.run(main())
