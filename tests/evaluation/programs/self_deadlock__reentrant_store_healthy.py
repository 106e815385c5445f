"""A hand-written re-entrant lock is taken twice by the same task, while it writes slowly."""

import asyncio

EXPECT = {"healthy": True, "like": "self_deadlock"}


class ReentrantLock:
    def __init__(self):
        self._lock = asyncio.Lock()
        self._owner = None
        self._depth = 0

    async def __aenter__(self):
        me = asyncio.current_task()
        if self._owner is not me:
            await self._lock.acquire()
            self._owner = me
        self._depth += 1

    async def __aexit__(self, *exc_info):
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._lock.release()


class Store:
    def __init__(self):
        self.lock = ReentrantLock()
        self.rows = []

    async def append(self, row):
        async with self.lock:
            await asyncio.sleep(0.5)  # fsync on a slow disk
            self.rows.append(row)

    async def extend(self, rows):
        async with self.lock:
            for row in rows:
                await self.append(row)


async def writer(store, name):
    while True:
        await store.extend([f"{name}-{number}" for number in range(8)])


async def main():
    store = Store()
    writers = [
        asyncio.create_task(writer(store, name), name=f"writer:{name}") for name in ("a", "b", "c")
    ]
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(*writers)


if __name__ == "__main__":
    asyncio.run(main())
