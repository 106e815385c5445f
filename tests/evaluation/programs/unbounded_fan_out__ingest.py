"""A task is made for every event that comes in, far more than the two upload slots can take."""

import asyncio

EXPECT = {
    "kind": "unbounded_fan_out",
    "also": [],
    "verdict": ["leak", "suspect"],
    "stuck": [],
    "cause": ["ingest"],
    "bystanders": ["gc-timer"],
    "report": "saltstack/salt#69735",
    "tracked": False,
}


class Uploader:
    def __init__(self):
        self.upload_slots = asyncio.Semaphore(2)
        self.running = set()

    async def upload(self, event):
        async with self.upload_slots:
            await asyncio.sleep(1)
            return event

    async def ingest(self, events):
        async for event in events:
            task = asyncio.create_task(self.upload(event))
            self.running.add(task)
            task.add_done_callback(self.running.discard)


async def stream():
    number = 0
    while True:
        for _ in range(20):
            number += 1
            yield number
        await asyncio.sleep(0.05)


async def timer():
    while True:
        await asyncio.sleep(0.1)


async def main():
    uploader = Uploader()
    tasks = [
        asyncio.create_task(timer(), name="gc-timer"),
        asyncio.create_task(uploader.ingest(stream()), name="ingest"),
    ]
    await asyncio.sleep(4)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
