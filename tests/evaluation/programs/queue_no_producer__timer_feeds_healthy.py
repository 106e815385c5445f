"""A queue is filled by a timer alone, which comes rarely; no task refers to it but its reader."""

import asyncio

EXPECT = {"healthy": True, "like": "queue_no_producer"}


def schedule(loop, queue, seconds):
    queue.put_nowait(loop.time())
    loop.call_later(seconds, schedule, loop, queue, seconds)


async def rotate_logs():
    ticks = asyncio.Queue()
    schedule(asyncio.get_running_loop(), ticks, 8)
    while True:
        await ticks.get()


async def main():
    rotation = asyncio.create_task(rotate_logs(), name="log-rotation")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await rotation


if __name__ == "__main__":
    asyncio.run(main())
