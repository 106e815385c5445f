"""A small pool with many slow jobs: a queue of work, and it moves."""

import asyncio
import concurrent.futures
import time

EXPECT = {"healthy": True, "like": "executor_reentry"}

POOL = concurrent.futures.ThreadPoolExecutor(2, thread_name_prefix="encoder")


def encode(frame):
    time.sleep(0.4)
    return frame + 1


async def stream(name):
    frame = 0
    while True:
        frame = await asyncio.get_running_loop().run_in_executor(POOL, encode, frame)


async def main():
    streams = [asyncio.create_task(stream(name), name=f"stream:{name}") for name in "abcdef"]
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    await asyncio.gather(*streams)


if __name__ == "__main__":
    asyncio.run(main())
