"""A hand-written bridge that does it right: done callbacks go through call_soon_threadsafe."""

import asyncio
import concurrent.futures
import time

EXPECT = {"healthy": True, "like": "threadsafe_wakeup_missing"}


class Imaging:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="imaging")

    def _shrink(self, size):
        time.sleep(0.6)
        return size // 4

    def shrink(self, size):
        result = self.loop.create_future()
        job = self.pool.submit(self._shrink, size)
        job.add_done_callback(
            lambda job: self.loop.call_soon_threadsafe(result.set_result, job.result())
        )
        return result


async def thumbnails(imaging):
    while True:
        await imaging.shrink(4000)


async def main():
    imaging = Imaging()
    tasks = [
        asyncio.create_task(thumbnails(imaging), name=f"thumbnails:{name}") for name in ("a", "b")
    ]
    await asyncio.sleep(1)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
