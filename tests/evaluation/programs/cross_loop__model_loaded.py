"""A model is loaded by asyncio.run in a thread, which sets an asyncio.Event of the server's loop."""

import asyncio
import threading

EXPECT = {
    "kind": "cross_loop",
    "also": ["threadsafe_wakeup_missing"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["predict:1"],
    "cause": [],
    "bystanders": ["loader-progress"],
    "report": "tornadoweb/tornado#2189",
}


class Server:
    def __init__(self):
        self.loaded = asyncio.Event()
        self.weights = None

    async def load(self):
        """Runs on the loader's own loop, which lives on to download updates."""
        await asyncio.sleep(0.5)
        self.weights = [1, 2, 3]
        self.loaded.set()
        await asyncio.sleep(0.2)
        print("READY", flush=True)
        await asyncio.create_task(self.progress(), name="loader-progress")

    async def progress(self):
        while True:
            await asyncio.sleep(0.3)

    async def predict(self, number):
        await self.loaded.wait()
        return self.weights[number]


async def main():
    server = Server()
    threading.Thread(
        target=asyncio.run, args=(server.load(),), name="model-loader", daemon=True
    ).start()
    print(await asyncio.create_task(server.predict(1), name="predict:1"), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
