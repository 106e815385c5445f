"""Finalizers run on the loop all the time; each only tells its thread to end."""

import asyncio
import gc
import threading

EXPECT = {"healthy": True, "like": "del_teardown"}


class Channel:
    def __init__(self):
        self.me = self
        self.closing = threading.Event()
        threading.Thread(target=self.closing.wait, name="channel-poller", daemon=True).start()

    async def call(self):
        await asyncio.sleep(0.1)

    def __del__(self):
        self.closing.set()


async def lookups():
    while True:
        await Channel().call()
        gc.collect()


async def main():
    looking = asyncio.create_task(lookups(), name="lookups")
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await looking


if __name__ == "__main__":
    asyncio.run(main())
