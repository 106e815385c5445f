"""A job of a one-thread pool walks a tree with the same pool's map."""

import asyncio
import concurrent.futures
import time

EXPECT = {
    "kind": "executor_reentry",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["index:/home"],
    "cause": ["disk"],
    "bystanders": ["index-status"],
    "report": "django/asgiref#249",
}

DISK = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="disk")
TREE = {"/home": ["/home/ann", "/home/bob"], "/home/ann": [], "/home/bob": []}


def size(folder):
    time.sleep(0.1)
    return 1 + sum(DISK.map(size, TREE[folder]))


async def index(folder):
    return await asyncio.get_running_loop().run_in_executor(DISK, size, folder)


async def status():
    while True:
        await asyncio.sleep(0.3)


async def main():
    showing = asyncio.create_task(status(), name="index-status")
    await asyncio.create_task(index("/home/ann"), name="index:/home/ann")
    indexing = asyncio.create_task(index("/home"), name="index:/home")
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    print(await indexing, flush=True)
    showing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
