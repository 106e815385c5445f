"""A fire-and-forget task awaits a reply that only its own client could get: the GC takes both."""

import asyncio
import gc

EXPECT = {
    "kind": "task_garbage_collected",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["request:home"],
    "cause": ["cache:warm"],
    "bystanders": ["housekeeping"],
    "report": "python/cpython#91887",
}


class Backend:
    """Answers come in through `feed`, called by whoever holds the backend."""

    def __init__(self):
        self.replies = {}

    async def fetch(self, key):
        reply = self.replies[key] = asyncio.get_running_loop().create_future()
        return await reply

    def feed(self, key, value):
        self.replies.pop(key).set_result(value)


class Cache:
    def __init__(self):
        self.pages = {}
        self.warm = asyncio.Event()

    async def fill(self):
        backend = Backend()
        self.pages["home"] = await backend.fetch("home")
        self.warm.set()

    def start(self):
        asyncio.get_running_loop().create_task(self.fill(), name="cache:warm")


async def request(cache, page):
    await cache.warm.wait()
    return cache.pages[page]


async def housekeeping():
    while True:
        await asyncio.sleep(0.3)
        gc.collect()


async def main():
    cache = Cache()
    cache.start()
    asked = asyncio.create_task(request(cache, "home"), name="request:home")
    keeping = asyncio.create_task(housekeeping(), name="housekeeping")
    await asyncio.sleep(0.8)
    print("READY", flush=True)
    await asked
    keeping.cancel()


if __name__ == "__main__":
    asyncio.run(main())
