"""`stop` waits under its lock for a worker that takes long to flush, but needs no lock for it."""

import asyncio
import contextlib

EXPECT = {"healthy": True, "like": "lock_task_cycle"}


class Uploader:
    def __init__(self):
        self._lock = asyncio.Lock()
        self._parts = [f"part-{number}" for number in range(200)]
        self._worker = None

    async def start(self):
        async with self._lock:
            self._worker = asyncio.create_task(self._run(), name="uploader")

    async def _run(self):
        try:
            while True:
                await asyncio.sleep(1)
        finally:
            for _part in self._parts:
                await asyncio.sleep(0.3)

    async def status(self):
        async with self._lock:
            return self._worker

    async def stop(self):
        async with self._lock:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker


async def main():
    uploader = Uploader()
    await uploader.start()
    await asyncio.sleep(0.05)
    stopping = asyncio.create_task(uploader.stop(), name="stop")
    await asyncio.sleep(0.05)
    status = asyncio.create_task(uploader.status(), name="status")
    await asyncio.sleep(0.1)
    print("READY", flush=True)
    await asyncio.gather(stopping, status)


if __name__ == "__main__":
    asyncio.run(main())
