"""A thread of a vendor's SDK resolves futures through call_soon_threadsafe; it is slow this time."""

import asyncio
import threading
import time

EXPECT = {"healthy": True, "like": "never_resolved_future"}


class SensorSdk(threading.Thread):
    def __init__(self, callback):
        super().__init__(name="sensor-sdk", daemon=True)
        self._callback = callback

    def run(self):
        value = 0
        while True:
            time.sleep(0.1 if value < 2 else 8)
            value += 1
            self._callback(value)


class Sensor:
    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._next = None
        self._sdk = SensorSdk(self._from_thread)
        self._sdk.start()

    def _from_thread(self, value):
        self._loop.call_soon_threadsafe(self._deliver, value)

    def _deliver(self, value):
        if self._next is not None and not self._next.done():
            self._next.set_result(value)

    async def read(self):
        self._next = self._loop.create_future()
        return await self._next


async def control(sensor):
    while True:
        await sensor.read()


async def main():
    controller = asyncio.create_task(control(Sensor()), name="controller")
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await controller


if __name__ == "__main__":
    asyncio.run(main())
