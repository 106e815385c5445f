"""A lazy property loads its value with result(); a timer's callback is the first to read it."""

import asyncio

EXPECT = {
    "kind": "threadsafe_result_on_loop",
    "also": [],
    "verdict": ["deadlock", "stall"],
    "stuck": [],
    "cause": ["threadsafe_result_on_loop__lazy_property.py"],
    "bystanders": ["poll", "serve"],
    "report": "python/cpython#121075",
}


class Settings:
    def __init__(self, loop):
        self._loop = loop
        self._values = None

    async def _load(self):
        await asyncio.sleep(0.05)
        return {"interval": 5}

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @property
    def values(self):
        if self._values is None:
            self._values = self._run(self._load())
        return self._values


class Scheduler:
    def __init__(self, settings):
        self.settings = settings
        self.loop = asyncio.get_running_loop()

    def tick(self):
        print("READY", flush=True)
        self.loop.call_later(self.settings.values["interval"], self.tick)


async def forever(seconds):
    while True:
        await asyncio.sleep(seconds)


async def main():
    loop = asyncio.get_running_loop()
    scheduler = Scheduler(Settings(loop))
    loop.call_later(0.3, scheduler.tick)
    await asyncio.gather(
        asyncio.create_task(forever(0.2), name="poll"),
        asyncio.create_task(forever(0.5), name="serve"),
    )


if __name__ == "__main__":
    asyncio.run(main())
