"""Synchronous plugins run their own loops, in threads that the main loop awaits."""

import asyncio

EXPECT = {"healthy": True, "like": "nested_run"}


class Engine:
    def __init__(self):
        self.loop = asyncio.get_running_loop()

    async def get_config(self):
        await asyncio.sleep(0.1)
        return "small"

    async def setup(self):
        asking = asyncio.run_coroutine_threadsafe(self.get_config(), self.loop)
        await asyncio.wrap_future(asking)
        await asyncio.sleep(0.2)

    def load(self):
        asyncio.run(self.setup())


async def reload_plugins(engine):
    while True:
        await asyncio.to_thread(engine.load)


async def main():
    engine = Engine()
    reloading = asyncio.create_task(reload_plugins(engine), name="reload-plugins")
    await asyncio.sleep(0.8)
    print("READY", flush=True)
    await reloading


if __name__ == "__main__":
    asyncio.run(main())
