"""A TaskGroup of warm-ups: one waits for an event that its own failure path forgot to set."""

import asyncio

EXPECT = {
    "kind": "gather_hung_child",
    "also": ["event_never_set"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["warm:embeddings"],
    "cause": ["warm-up"],
    "bystanders": ["readiness", "download:speech"],
    "report": "ogx-ai/ogx#4587",
    "python": "3.11",
}


class Model:
    def __init__(self, name):
        self.name = name
        self.downloaded = asyncio.Event()
        self.error = None

    def store(self):
        if self.name == "embeddings":
            raise OSError("disk full")

    async def download(self):
        await asyncio.sleep(0.1)
        try:
            self.store()
            self.downloaded.set()
        except OSError as error:
            self.error = error  # and nobody is told

    async def warm(self, downloads):
        downloads.append(asyncio.create_task(self.download(), name=f"download:{self.name}"))
        await self.downloaded.wait()


async def warm_up(downloads):
    async with asyncio.TaskGroup() as group:
        for name in ("small", "large", "embeddings", "speech"):
            group.create_task(Model(name).warm(downloads), name=f"warm:{name}")


async def readiness():
    while True:
        await asyncio.sleep(0.25)


async def main():
    downloads = []
    probing = asyncio.create_task(readiness(), name="readiness")
    warming = asyncio.create_task(warm_up(downloads), name="warm-up")
    await asyncio.sleep(0.6)
    print("READY", flush=True)
    await warming
    probing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
