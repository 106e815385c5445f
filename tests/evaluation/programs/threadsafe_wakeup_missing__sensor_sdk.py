"""A vendor's SDK calls back in its own thread, and the callback sets an asyncio future."""

import asyncio
import threading
import time

EXPECT = {
    "kind": "threadsafe_wakeup_missing",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["sensor:read"],
    "cause": [],
    "bystanders": [],
    "report": "pybind/pybind11#3597",
}


class SensorSdk:
    """Measures for a while, then calls back, in the thread `sensor-sdk`."""

    def read_async(self, callback):
        threading.Thread(
            target=self._measure, args=(callback,), name="sensor-sdk", daemon=True
        ).start()

    def _measure(self, callback):
        time.sleep(0.5)
        callback(21.5)
        time.sleep(0.2)
        print("READY", flush=True)
        while True:
            time.sleep(1)  # the SDK's thread polls its bus for ever


async def read(sdk):
    value = asyncio.get_running_loop().create_future()
    sdk.read_async(value.set_result)
    return await value


async def main():
    task = asyncio.create_task(read(SensorSdk()), name="sensor:read")
    print(await task, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
