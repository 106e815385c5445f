"""`stop` waits for the worker under the lock that the worker's `finally` needs."""

import asyncio
import contextlib

EXPECT = {
    "kind": "lock_task_cycle",
    "also": [],
    "verdict": ["deadlock"],
    "stuck": ["stop", "mail-worker"],
    "cause": ["_lock"],
    "bystanders": ["healthz"],
    "report": "mongodb/mongo-python-driver#2250",
    "tracked": False,
}


class MailService:
    def __init__(self):
        self._lock = asyncio.Lock()
        self._outbox = asyncio.Queue()
        self._worker = None
        self.unsent = []

    async def start(self):
        async with self._lock:
            self._worker = asyncio.create_task(self._run(), name="mail-worker")

    async def send(self, message):
        await self._outbox.put(message)

    async def _run(self):
        message = None
        try:
            while True:
                message = await self._outbox.get()
                await asyncio.sleep(0.05)
                message = None
        finally:
            async with self._lock:
                self.unsent.append(message)

    async def stop(self):
        async with self._lock:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
            self._worker = None


async def healthz(service):
    while True:
        await asyncio.sleep(0.1)
        assert service.unsent is not None


async def main():
    service = MailService()
    await service.start()
    probe = asyncio.create_task(healthz(service), name="healthz")
    for number in range(5):
        await service.send(f"message {number}")
    await asyncio.sleep(0.12)
    stopping = asyncio.create_task(service.stop(), name="stop")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await stopping
    probe.cancel()


if __name__ == "__main__":
    asyncio.run(main())
