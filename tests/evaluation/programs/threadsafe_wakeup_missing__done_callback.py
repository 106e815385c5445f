"""A hand-written bridge: a pool's future completes an asyncio future in the pool's thread."""

import asyncio
import concurrent.futures
import time

EXPECT = {
    "kind": "threadsafe_wakeup_missing",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["thumbnail"],
    "cause": [],
    "bystanders": [],
    "report": "agronholm/apscheduler#437",
}


class Imaging:
    def __init__(self):
        self.pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="imaging")

    def _shrink(self, size):
        time.sleep(0.4)
        return size // 4

    def shrink(self, size):
        result = asyncio.get_running_loop().create_future()

        def finished(job):
            result.set_result(job.result())

        self.pool.submit(self._shrink, size).add_done_callback(finished)
        self.pool.submit(self._say_ready)
        return result

    def _say_ready(self):
        time.sleep(0.2)
        print("READY", flush=True)


async def thumbnail(imaging):
    return await imaging.shrink(4000)


async def main():
    task = asyncio.create_task(thumbnail(Imaging()), name="thumbnail")
    print(await task, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
