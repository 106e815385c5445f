"""Two transfers lock each other out; the request around one of them has a deadline, which frees both."""

import asyncio

EXPECT = {"healthy": True, "like": "lock_cycle"}


async def transfer(source, target):
    async with source:
        await asyncio.sleep(0.05)
        async with target:
            return True


async def request(source, target, deadline):
    while True:
        try:
            await asyncio.wait_for(asyncio.gather(transfer(source, target)), deadline)
        except asyncio.TimeoutError:
            await asyncio.sleep(0.2)


async def batch(source, target):
    while True:
        await transfer(source, target)
        await asyncio.sleep(0.01)


async def main():
    alice, bob = asyncio.Lock(), asyncio.Lock()
    tasks = [
        asyncio.create_task(request(alice, bob, 7), name="request"),
        asyncio.create_task(batch(bob, alice), name="batch"),
    ]
    await asyncio.sleep(0.4)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
