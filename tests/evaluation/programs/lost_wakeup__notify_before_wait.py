"""The loader notifies before the consumer waits, and the consumer does not look whether it is needed."""

import asyncio

EXPECT = {
    "kind": "lost_wakeup",
    "also": ["event_never_set", "never_resolved_future"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["consumer"],
    "cause": [],
    "bystanders": ["autosave"],
    "report": "python/cpython#112202",
    "tracked": False,
}


class Catalogue:
    def __init__(self):
        self.loaded = asyncio.Condition()
        self.items = []

    async def load(self):
        await asyncio.sleep(0.02)
        async with self.loaded:
            self.items.extend(["apple", "pear"])
            self.loaded.notify_all()

    async def first(self):
        await asyncio.sleep(0.05)  # renders the page around it
        async with self.loaded:
            await self.loaded.wait()
            return self.items[0]


async def autosave(path):
    while True:
        await asyncio.sleep(0.1)
        path.strip("/")


async def main():
    catalogue = Catalogue()
    saving = asyncio.create_task(autosave("/tmp/"), name="autosave")
    loader = asyncio.create_task(catalogue.load(), name="loader")
    consumer = asyncio.create_task(catalogue.first(), name="consumer")
    await loader
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await consumer
    saving.cancel()


if __name__ == "__main__":
    asyncio.run(main())
