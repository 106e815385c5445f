"""`update` holds the settings' mutex and saves, and `save` takes the mutex again."""

import asyncio
import json

EXPECT = {
    "kind": "self_deadlock",
    "also": [],
    "verdict": ["deadlock"],
    "stuck": ["settings-sync"],
    "cause": ["_mutex"],
    "bystanders": ["heartbeat"],
    "report": "python/asyncio#439",
    "tracked": False,
}


class Settings:
    def __init__(self):
        self._mutex = asyncio.Lock()
        self._values = {}
        self._saved = "{}"

    async def get(self, key):
        async with self._mutex:
            return self._values.get(key)

    async def update(self, **changes):
        async with self._mutex:
            self._values.update(changes)
            if json.dumps(self._values) != self._saved:
                await self.save()

    async def save(self):
        async with self._mutex:
            await asyncio.sleep(0.01)
            self._saved = json.dumps(self._values)


async def heartbeat():
    while True:
        await asyncio.sleep(0.1)


async def sync(settings):
    await asyncio.sleep(0.05)
    await settings.update(theme="dark", language="fi")


async def page(settings):
    await asyncio.sleep(0.1)
    return await settings.get("theme")


async def main():
    settings = Settings()
    pulse = asyncio.create_task(heartbeat(), name="heartbeat")
    work = [
        asyncio.create_task(sync(settings), name="settings-sync"),
        asyncio.create_task(page(settings), name="page"),
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    for task in work:
        await task
    pulse.cancel()


if __name__ == "__main__":
    asyncio.run(main())
