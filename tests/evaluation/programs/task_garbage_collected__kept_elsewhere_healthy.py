"""Fire-and-forget tasks that wait for timers and sockets: the loop itself keeps them alive."""

import asyncio
import gc

EXPECT = {"healthy": True, "like": "task_garbage_collected"}


class Telemetry:
    def __init__(self):
        self.sent = 0
        self.flushed = asyncio.Event()

    async def flush(self):
        await asyncio.sleep(0.5)
        self.sent += 1
        self.flushed.set()

    def record(self):
        self.flushed.clear()
        asyncio.get_running_loop().create_task(self.flush(), name=f"flush:{self.sent}")


async def reporter(telemetry):
    while True:
        telemetry.record()
        gc.collect()
        await telemetry.flushed.wait()


async def main():
    telemetry = Telemetry()
    task = asyncio.create_task(reporter(telemetry), name="reporter")
    await asyncio.sleep(1.2)
    print("READY", flush=True)
    await task


if __name__ == "__main__":
    asyncio.run(main())
