"""An upload keeps a threading.Lock across an await; a listing takes the same lock on the loop."""

import asyncio
import threading

EXPECT = {
    "kind": "thread_lock_on_loop",
    "also": [],
    "verdict": ["deadlock", "stall"],
    "stuck": ["storage:list"],
    "cause": ["storage:upload"],
    "bystanders": ["heartbeat"],
    "report": "Azure/azure-sdk-for-python#11591",
}


class TokenPolicy:
    def __init__(self):
        self._lock = threading.Lock()
        self._token = None

    async def _request_token(self):
        await asyncio.sleep(0.2)
        return "token-1"

    async def on_request(self):
        with self._lock:
            if self._token is None:
                self._token = await self._request_token()
            return self._token


class Storage:
    def __init__(self):
        self.policy = TokenPolicy()

    async def upload(self, name):
        await self.policy.on_request()
        return name

    async def list(self):
        await asyncio.sleep(0.05)
        print("READY", flush=True)
        await self.policy.on_request()
        return []


async def heartbeat():
    while True:
        await asyncio.sleep(0.1)


async def main():
    storage = Storage()
    beating = asyncio.create_task(heartbeat(), name="heartbeat")
    await asyncio.gather(
        asyncio.create_task(storage.upload("a.bin"), name="storage:upload"),
        asyncio.create_task(storage.list(), name="storage:list"),
    )
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
