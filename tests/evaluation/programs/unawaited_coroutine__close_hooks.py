"""A client collects its farewell as a coroutine object in a list of hooks that nobody awaits."""

import asyncio

EXPECT = {
    "kind": "unawaited_coroutine",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["shutdown"],
    "cause": ["_send_close"],
    "bystanders": ["keepalive", "request:1"],
    "report": "glitchwerks/mom-bot#41",
}


class Session:
    def __init__(self):
        self.closed = asyncio.Event()
        self.exit_hooks = []
        self.sent = []

    async def _send_close(self, reason):
        await asyncio.sleep(0.01)
        self.sent.append(("close", reason))
        self.closed.set()

    async def request(self, number):
        await asyncio.sleep(0.02 * number)
        self.sent.append(("request", number))

    async def keepalive(self):
        while True:
            await asyncio.sleep(0.4)
            self.sent.append("ping")
            del self.sent[:-10]

    def close(self, reason):
        # A hook was a plain function once; since it is a coroutine, calling it starts nothing.
        self.exit_hooks.append(self._send_close(reason))


async def shutdown(session):
    session.close("going away")
    print("READY", flush=True)
    await session.closed.wait()


async def serve():
    session = Session()
    keepalive = asyncio.create_task(session.keepalive(), name="keepalive")
    await asyncio.create_task(session.request(1), name="request:1")
    await asyncio.create_task(shutdown(session), name="shutdown")
    keepalive.cancel()


if __name__ == "__main__":
    asyncio.run(serve())
