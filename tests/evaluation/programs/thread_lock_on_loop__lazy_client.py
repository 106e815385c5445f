"""A lazily made client guards its async start with a threading.Lock, in an async with of its own."""

import asyncio
import threading

EXPECT = {
    "kind": "thread_lock_on_loop",
    "also": [],
    "verdict": ["deadlock", "stall"],
    "stuck": ["page:2"],
    "cause": ["page:1"],
    "bystanders": ["keepalive"],
    "report": "sqlalchemy/sqlalchemy#5581",
}


class Guard:
    def __init__(self):
        self._mutex = threading.Lock()

    async def __aenter__(self):
        self._mutex.acquire()

    async def __aexit__(self, *error):
        self._mutex.release()


class Client:
    def __init__(self):
        self.guard = Guard()
        self.session = None

    async def start(self):
        await asyncio.sleep(0.3)
        self.session = object()

    async def get(self, url):
        async with self.guard:
            if self.session is None:
                await self.start()
        await asyncio.sleep(0.05)
        return url


async def page(client, number):
    await asyncio.sleep(0.1 * number)
    if number == 2:
        print("READY", flush=True)
    return await client.get(f"/page/{number}")


async def keepalive():
    while True:
        await asyncio.sleep(0.1)


async def main():
    client = Client()
    beating = asyncio.create_task(keepalive(), name="keepalive")
    pages = [asyncio.create_task(page(client, number), name=f"page:{number}") for number in (1, 2)]
    await asyncio.gather(*pages)
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
