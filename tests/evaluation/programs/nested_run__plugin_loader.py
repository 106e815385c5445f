"""A plugin is loaded by asyncio.run in a helper thread, which needs the loop that joins it."""

import asyncio
import threading

EXPECT = {
    "kind": "nested_run",
    "also": [],
    "verdict": ["deadlock", "stall"],
    "stuck": ["plugin:load"],
    "cause": ["nested-run"],
    "bystanders": ["session-ping"],
    "report": "griptape-ai/griptape-nodes-engine#4469",
}


class Engine:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.config = {"model": "small"}
        self.plugins = []

    async def get_config(self, key):
        await asyncio.sleep(0.01)
        return self.config[key]

    def run_nested(self, coroutine):
        """Runs a coroutine to its end from synchronous code, whatever loop is running."""
        thread = threading.Thread(
            target=asyncio.run, args=(coroutine,), name="nested-run", daemon=True
        )
        thread.start()
        print("READY", flush=True)
        thread.join()

    async def setup_plugin(self):
        asking = asyncio.run_coroutine_threadsafe(self.get_config("model"), self.loop)
        self.plugins.append(await asyncio.wrap_future(asking))

    async def load(self):
        await asyncio.sleep(0.3)
        self.run_nested(self.setup_plugin())


async def ping():
    while True:
        await asyncio.sleep(0.2)


async def main():
    engine = Engine()
    pinging = asyncio.create_task(ping(), name="session-ping")
    await asyncio.create_task(engine.load(), name="plugin:load")
    pinging.cancel()


if __name__ == "__main__":
    asyncio.run(main())
