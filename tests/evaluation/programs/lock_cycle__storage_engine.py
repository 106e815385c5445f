"""Three maintenance jobs of a storage engine hold what the next one needs; one of them through a gather."""

import asyncio
from contextlib import asynccontextmanager

EXPECT = {
    "kind": "lock_cycle",
    "also": ["lock_task_cycle"],
    "verdict": ["deadlock"],
    "stuck": ["compact", "ingest", "checkpoint"],
    "cause": [],
    "bystanders": ["metrics", "reader"],
    "report": "dask/distributed#8772",
    "tracked": False,
}

segments = asyncio.Lock()
manifest = asyncio.Lock()
wal = asyncio.Lock()
reads = asyncio.Queue()


@asynccontextmanager
async def exclusive(lock):
    async with lock:
        await asyncio.sleep(0.03)
        yield


async def rewrite(number):
    await asyncio.sleep(0.01)
    if number == 2:
        async with manifest:
            return number
    return number


async def compact():
    async with exclusive(segments):
        return await asyncio.gather(*(rewrite(number) for number in range(3)))


async def append_to_wal(rows):
    async with wal:
        return len(rows)


async def ingest(rows):
    async with manifest:
        await asyncio.sleep(0.05)
        return await append_to_wal(rows)


async def checkpoint():
    async with exclusive(wal), exclusive(segments):
        return True


async def read_requests():
    while True:
        await reads.get()


async def report_metrics():
    while True:
        await asyncio.sleep(0.1)
        await reads.put("metrics")


async def main():
    others = [
        asyncio.create_task(report_metrics(), name="metrics"),
        asyncio.create_task(read_requests(), name="reader"),
    ]
    jobs = [
        asyncio.create_task(compact(), name="compact"),
        asyncio.create_task(ingest(["a", "b"]), name="ingest"),
        asyncio.create_task(checkpoint(), name="checkpoint"),
    ]
    await asyncio.sleep(0.4)
    print("READY", flush=True)
    await asyncio.wait(jobs)
    for task in others:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
