"""Jobs of a pool wait for jobs of another pool, by way of the loop: slow, and in order."""

import asyncio
import concurrent.futures
import time

EXPECT = {"healthy": True, "like": "executor_reentry"}

VIEWS = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="views")
ORM = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="orm")


def select():
    time.sleep(0.3)
    return 1


async def query():
    return await asyncio.get_running_loop().run_in_executor(ORM, select)


def view(loop):
    return asyncio.run_coroutine_threadsafe(query(), loop).result()


async def browse():
    loop = asyncio.get_running_loop()
    while True:
        await loop.run_in_executor(VIEWS, view, loop)


async def main():
    visitors = [asyncio.create_task(browse(), name=f"visitor-{number}") for number in range(3)]
    await asyncio.sleep(0.8)
    print("READY", flush=True)
    await asyncio.gather(*visitors)


if __name__ == "__main__":
    asyncio.run(main())
