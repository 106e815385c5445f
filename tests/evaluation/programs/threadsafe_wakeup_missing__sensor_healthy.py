"""A device's thread resolves futures, each through call_soon_threadsafe."""

import asyncio
import threading
import time

EXPECT = {"healthy": True, "like": "threadsafe_wakeup_missing"}


class Device(threading.Thread):
    def __init__(self, loop):
        super().__init__(name="device", daemon=True)
        self.loop = loop
        self.wanted = []

    def run(self):
        while True:
            time.sleep(0.7)
            while self.wanted:
                self.loop.call_soon_threadsafe(self.wanted.pop().set_result, 21.5)


async def sample(device):
    while True:
        value = asyncio.get_running_loop().create_future()
        device.wanted.append(value)
        await value


async def main():
    device = Device(asyncio.get_running_loop())
    device.start()
    sampling = asyncio.create_task(sample(device), name="sample")
    await asyncio.sleep(1)
    print("READY", flush=True)
    await sampling


if __name__ == "__main__":
    asyncio.run(main())
