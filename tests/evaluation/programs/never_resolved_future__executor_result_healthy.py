"""Tasks wait for jobs in threads: one of the default executor, one that another thread hands in."""

import asyncio
import queue
import threading
import time

EXPECT = {"healthy": True, "like": "never_resolved_future"}


def printer(jobs):
    while True:
        loop, future, seconds = jobs.get()
        time.sleep(seconds)
        loop.call_soon_threadsafe(future.set_result, seconds)


async def print_page(jobs):
    loop = asyncio.get_running_loop()
    while True:
        future = loop.create_future()
        jobs.put((loop, future, 7))
        await future


async def checksum():
    loop = asyncio.get_running_loop()
    while True:
        await loop.run_in_executor(None, time.sleep, 5)


async def main():
    jobs = queue.Queue()
    threading.Thread(target=printer, args=(jobs,), name="printer", daemon=True).start()
    tasks = [
        asyncio.create_task(print_page(jobs), name="print-page"),
        asyncio.create_task(checksum(), name="checksum"),
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
