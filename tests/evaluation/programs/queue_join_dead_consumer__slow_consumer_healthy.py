"""A batch waits until its slow workers have done all jobs; one of them has ended, the others go on."""

import asyncio

EXPECT = {"healthy": True, "like": "queue_join_dead_consumer"}


async def worker(jobs, limit):
    for _ in range(limit):
        await jobs.get()
        await asyncio.sleep(0.4)
        jobs.task_done()


async def batch(jobs):
    for number in range(500):
        jobs.put_nowait(number)
    await jobs.join()


async def main():
    jobs = asyncio.Queue()
    workers = [
        asyncio.create_task(worker(jobs, limit), name=f"worker:{limit}") for limit in (1, 900, 901)
    ]
    joining = asyncio.create_task(batch(jobs), name="batch")
    await asyncio.sleep(0.6)
    print("READY", flush=True)
    await joining
    for task in workers:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
