"""Two slots for downloads, in a threading.BoundedSemaphore; the third download blocks the loop."""

import asyncio
import threading

EXPECT = {
    "kind": "thread_lock_on_loop",
    "also": ["blocking_call"],
    "verdict": ["deadlock", "stall", "suspect"],
    "stuck": ["download:3"],
    "cause": ["thread_lock_on_loop__download_slots.py"],
    "bystanders": ["progress-bar"],
    "report": "sqlalchemy/sqlalchemy#10813",
}

SLOTS = threading.BoundedSemaphore(2)


async def chunks(number):
    for size in range(5):
        await asyncio.sleep(0.1)
        yield number * size


async def download(number):
    await asyncio.sleep(0.02 * number)
    if number == 3:
        print("READY", flush=True)
    with SLOTS:
        return [chunk async for chunk in chunks(number)]


async def progress_bar():
    while True:
        await asyncio.sleep(0.1)


async def main():
    showing = asyncio.create_task(progress_bar(), name="progress-bar")
    await asyncio.gather(
        *(asyncio.create_task(download(number), name=f"download:{number}") for number in (1, 2, 3))
    )
    showing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
