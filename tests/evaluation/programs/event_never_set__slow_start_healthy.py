"""Requests wait until the model is loaded, which takes long; the loader sets the event at its end."""

import asyncio

EXPECT = {"healthy": True, "like": "event_never_set"}


class Model:
    def __init__(self):
        self.ready = asyncio.Event()
        self.shards = []

    async def load(self):
        for number in range(64):
            await asyncio.sleep(1)
            self.shards.append(number)
        self.ready.set()

    async def predict(self, text):
        await self.ready.wait()
        return len(text) * len(self.shards)


async def main():
    model = Model()
    loader = asyncio.create_task(model.load(), name="loader")
    requests = [
        asyncio.create_task(model.predict("x" * number), name=f"request:{number}")
        for number in range(5)
    ]
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(loader, *requests)


if __name__ == "__main__":
    asyncio.run(main())
