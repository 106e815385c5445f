"""Programs with many tasks; runs in the child. Usage: crowds.py NAME [uvloop]

Prints the console's port. Those whose name begins with ``ok_`` are healthy.
"""

from __future__ import annotations

import asyncio
import os
import sys

import asyncconsole
from tests.loops import new_loop

SLOTS = None


async def upload(number):
    async with SLOTS:
        await asyncio.sleep(0.5)
    return number


async def ingest(keep):
    """Makes a task for each message, faster than the semaphore lets them go."""
    while True:
        for number in range(40):
            task = asyncio.create_task(upload(number))
            keep.add(task)
            task.add_done_callback(keep.discard)
        await asyncio.sleep(0.05)


async def queued(keep):
    await ingest(keep)


async def store(number):
    await asyncio.sleep(3600)
    return number


async def forgotten(keep):
    """Each waits for long, and they become more and more."""
    while True:
        keep.update(asyncio.create_task(store(number)) for number in range(80))
        await asyncio.sleep(0.05)


async def ok_gather(keep):
    """500 at once, a few at a time: it drains."""
    while True:
        await asyncio.gather(*(quick() for _ in range(500)))


async def quick():
    async with SLOTS:
        await asyncio.sleep(0.05)


async def ok_large_gather(keep):
    await asyncio.gather(*(upload(number) for number in range(3000)))


async def ok_workers(keep):
    """A feed that puts into a bounded queue, and 600 workers."""
    queue = asyncio.Queue(maxsize=100)

    async def worker():
        while True:
            await queue.get()
            await asyncio.sleep(0.01)

    keep.update(asyncio.create_task(worker()) for _ in range(600))
    while True:
        await queue.put(1)


async def ok_waves(keep):
    """Bursts, each of which is done before the next."""
    while True:
        keep.update(asyncio.create_task(asyncio.sleep(0.7)) for _ in range(2500))
        await asyncio.sleep(1)
        keep.clear()


async def ok_steady(keep):
    """As many end as begin."""
    while True:
        for _ in range(60):
            task = asyncio.create_task(asyncio.sleep(2))
            keep.add(task)
            task.add_done_callback(keep.discard)
        await asyncio.sleep(0.05)


async def ok_clients(keep):
    """A server whose clients become more: each has a connection that is idle."""

    async def serve(reader, writer):
        await reader.read()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    address = server.sockets[0].getsockname()
    while True:
        for _ in range(5):
            keep.add(await asyncio.open_connection(*address))
        await asyncio.sleep(0.05)


async def main(name):
    global SLOTS  # noqa: PLW0603 - that the console finds the name of a global is what is tested
    SLOTS = asyncio.Semaphore(2 if name == "queued" else 40)
    print(asyncconsole.start(port=0, unix_socket=False).port, flush=True)
    main.task = asyncio.create_task(globals()[name](set()), name="ingest")
    await asyncio.sleep(1000)


if __name__ == "__main__":
    loop = new_loop("uvloop" if sys.argv[2:] == ["uvloop"] else "asyncio")
    loop.run_until_complete(main(sys.argv[1]))
    os._exit(0)
