"""A pipeline builds its steps as coroutine objects first and awaits them one after another."""

import asyncio

EXPECT = {"healthy": True, "like": "unawaited_coroutine"}


class Pipeline:
    def __init__(self):
        self.done = asyncio.Event()
        self.rows = 0

    async def extract(self, day):
        await asyncio.sleep(0.4)
        self.rows += day

    async def load(self, day):
        await asyncio.sleep(0.4)
        self.rows += 1

    async def finish(self):
        await asyncio.sleep(0.1)
        self.done.set()

    async def run(self):
        while True:
            self.done.clear()
            steps = [step(day) for day in range(1, 4) for step in (self.extract, self.load)]
            steps.append(self.finish())
            for step in steps:
                await step


async def report(pipeline):
    while True:
        await pipeline.done.wait()
        await asyncio.sleep(0.2)


async def main():
    pipeline = Pipeline()
    asyncio.get_running_loop().call_later(1, lambda: print("READY", flush=True))
    await asyncio.gather(
        asyncio.create_task(pipeline.run(), name="pipeline"),
        asyncio.create_task(report(pipeline), name="report"),
    )


if __name__ == "__main__":
    asyncio.run(main())
