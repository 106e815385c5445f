"""Workers that guard each job with a bare except survive the end of their pool, idle for ever."""

import asyncio

EXPECT = {
    "kind": "cancel_swallowed",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["thumb-worker-1"],
    "cause": ["pool-stop"],
    "bystanders": ["lease-renewal", "upload"],
    "report": "tobymao/saq#197",
}


class Thumbnails:
    def __init__(self, size):
        self.jobs = asyncio.Queue()
        self.made = []
        self.broken = 0
        self.workers = [
            asyncio.create_task(self.work(), name=f"thumb-worker-{number}")
            for number in range(1, size + 1)
        ]

    async def render(self, picture):
        await asyncio.sleep(0.05)
        self.made.append(picture)

    async def work(self):
        while True:
            try:
                picture = await self.jobs.get()
                await self.render(picture)
                self.jobs.task_done()
            except:  # noqa: E722 - a broken picture must not end the worker
                self.broken += 1

    async def stop(self):
        await self.jobs.join()
        for worker in self.workers:
            worker.cancel()
        await asyncio.gather(*self.workers, return_exceptions=True)


async def upload(thumbnails):
    for number in range(5):
        await thumbnails.jobs.put(f"picture-{number}.jpg")
        await asyncio.sleep(0.02)


async def renew_lease():
    while True:
        await asyncio.sleep(0.4)


async def main():
    lease = asyncio.create_task(renew_lease(), name="lease-renewal")
    thumbnails = Thumbnails(2)
    await asyncio.create_task(upload(thumbnails), name="upload")
    stopping = asyncio.create_task(thumbnails.stop(), name="pool-stop")
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await stopping
    lease.cancel()


if __name__ == "__main__":
    asyncio.run(main())
