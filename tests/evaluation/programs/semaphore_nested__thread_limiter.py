"""`run` takes the limiter and calls a helper that takes it again; under load every permit is a first one."""

import asyncio

EXPECT = {
    "kind": "semaphore_nested",
    "also": ["pool_exhaustion"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["thumbnail:1", "thumbnail:2", "thumbnail:3"],
    "cause": ["limiter"],
    "bystanders": ["clock", "quick"],
    "report": "python-trio/trio-asyncio#143",
    "tracked": False,
}

limiter = asyncio.BoundedSemaphore(3)


async def in_thread(function, *args):
    async with limiter:
        return await asyncio.get_running_loop().run_in_executor(None, function, *args)


class Executor:
    def __init__(self, limit):
        self._limit = limit

    async def submit(self, function, *args):
        async with self._limit:
            await asyncio.sleep(0.02)
            return await in_thread(function, *args)


def shrink(number):
    return number // 2


async def clock():
    while True:
        await asyncio.sleep(0.1)


async def quick():
    while True:
        await asyncio.sleep(0.05)
        await asyncio.get_running_loop().run_in_executor(None, shrink, 8)


async def main():
    executor = Executor(limiter)
    others = [
        asyncio.create_task(clock(), name="clock"),
        asyncio.create_task(quick(), name="quick"),
    ]
    jobs = [
        asyncio.create_task(executor.submit(shrink, number), name=f"thumbnail:{number}")
        for number in (1, 2, 3, 4)
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*jobs)
    for task in others:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
