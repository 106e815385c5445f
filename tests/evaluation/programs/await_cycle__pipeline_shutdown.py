"""Stages of a pipeline end when the next one has ended; a late change made the chain a ring."""

import asyncio

EXPECT = {
    "kind": "await_cycle",
    "also": [],
    "verdict": ["deadlock"],
    "stuck": ["extract", "transform", "load"],
    "cause": [],
    "bystanders": ["progress-bar"],
    "report": "rocketride-server#791",
    "tracked": False,
}


class Stage:
    def __init__(self, name):
        self.name = name
        self.after = []
        self.task = None
        self.rows = 0

    def start(self):
        self.task = asyncio.create_task(self.run(), name=self.name)

    async def run(self):
        for _ in range(5):
            await asyncio.sleep(0.01)
            self.rows += 1
        await self.drain()

    async def drain(self):
        if len(self.after) == 1:
            await asyncio.shield(self.after[0].task)
        else:
            await asyncio.gather(*(stage.task for stage in self.after))


async def show_progress(stages):
    while True:
        await asyncio.sleep(0.1)
        sum(stage.rows for stage in stages)


async def main():
    extract, transform, load, audit = (
        Stage(name) for name in ("extract", "transform", "load", "audit")
    )
    extract.after = [transform]
    transform.after = [load, audit]
    load.after = [extract]
    stages = [extract, transform, load, audit]
    for stage in stages:
        stage.start()
    bar = asyncio.create_task(show_progress(stages), name="progress-bar")
    await asyncio.sleep(0.4)
    print("READY", flush=True)
    await extract.task
    bar.cancel()


if __name__ == "__main__":
    asyncio.run(main())
