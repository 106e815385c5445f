"""Short jobs are done; the last sleeps until its hour. A timer will wake it."""

import asyncio

EXPECT = {"healthy": True, "like": "gather_hung_child"}


async def job(seconds):
    await asyncio.sleep(seconds)
    return seconds


async def main():
    jobs = [
        asyncio.create_task(job(seconds), name=f"job:{seconds}") for seconds in (0.1, 0.2, 0.3, 900)
    ]
    asyncio.get_running_loop().call_later(1, lambda: print("READY", flush=True))
    await asyncio.gather(*jobs)


if __name__ == "__main__":
    asyncio.run(main())
