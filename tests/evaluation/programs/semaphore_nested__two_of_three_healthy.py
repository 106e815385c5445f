"""Each of two jobs may take two of three permits, so one of them can always go on; work is slow."""

import asyncio

EXPECT = {"healthy": True, "like": "semaphore_nested"}


async def job(permits, seconds):
    while True:
        async with permits:
            await asyncio.sleep(0.05)
            async with permits:
                await asyncio.sleep(seconds)


async def main():
    permits = asyncio.Semaphore(3)
    jobs = [asyncio.create_task(job(permits, s), name=f"job:{s}") for s in (3, 4)]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*jobs)


if __name__ == "__main__":
    asyncio.run(main())
