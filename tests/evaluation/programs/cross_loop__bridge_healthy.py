"""Two loops in two threads that talk through run_coroutine_threadsafe and wrap_future."""

import asyncio
import threading

EXPECT = {"healthy": True, "like": "cross_loop"}


class Transport:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="transport", daemon=True).start()

    async def answer(self, method):
        await asyncio.sleep(0.6)
        return method.upper()

    async def call(self, method):
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self.answer(method), self.loop)
        )


async def client(transport, method):
    while True:
        await transport.call(method)


async def main():
    transport = Transport()
    clients = [
        asyncio.create_task(client(transport, method), name=f"client:{method}")
        for method in ("list", "get")
    ]
    await asyncio.sleep(1)
    print("READY", flush=True)
    await asyncio.gather(*clients)


if __name__ == "__main__":
    asyncio.run(main())
