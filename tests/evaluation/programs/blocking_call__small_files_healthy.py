"""Small files are read on the loop, and what is slow goes to threads."""

import asyncio
import pathlib
import time

EXPECT = {"healthy": True, "like": "blocking_call"}


def slow_disk(path):
    time.sleep(0.6)
    return pathlib.Path(path).read_bytes()


async def page():
    while True:
        pathlib.Path(__file__).read_text("utf-8")
        time.sleep(0.005)
        await asyncio.sleep(0.05)


async def archive():
    while True:
        await asyncio.to_thread(slow_disk, __file__)


async def main():
    tasks = [
        asyncio.create_task(page(), name="page"),
        asyncio.create_task(archive(), name="archive"),
    ]
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
