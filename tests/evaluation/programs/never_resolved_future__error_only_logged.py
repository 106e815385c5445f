"""A transport's writer logs an HTTP error and goes on; the request that caused it is never told."""

import asyncio
import logging

EXPECT = {
    "kind": "never_resolved_future",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["initialize"],
    "cause": [],
    "bystanders": ["sse-reader", "telemetry", "post-writer"],
    "report": "modelcontextprotocol/python-sdk#410",
    "tracked": False,
}

log = logging.getLogger("transport")
log.addHandler(logging.NullHandler())
log.propagate = False


class Transport:
    def __init__(self):
        self.outgoing = asyncio.Queue()
        self.incoming = asyncio.Queue()

    async def post(self, message):
        await asyncio.sleep(0.02)
        if message["method"] == "initialize":
            raise OSError("HTTP 404 for /message")
        return {"id": message["id"], "result": {}}

    async def write(self):
        while True:
            message = await self.outgoing.get()
            try:
                await self.incoming.put(await self.post(message))
            except OSError:
                log.exception("Error in post_writer")


class Session:
    def __init__(self, transport):
        self.transport = transport
        self.number = 0

    async def request(self, method):
        self.number += 1
        message = {"id": self.number, "method": method}
        message["answer"] = answer = asyncio.get_running_loop().create_future()
        await self.transport.outgoing.put(message)
        return await answer

    async def read(self):
        while True:
            await self.transport.incoming.get()


async def telemetry(transport):
    while True:
        await asyncio.sleep(0.1)
        await transport.outgoing.put({"id": None, "method": "notifications/alive"})


async def main():
    transport = Transport()
    session = Session(transport)
    others = [
        asyncio.create_task(transport.write(), name="post-writer"),
        asyncio.create_task(session.read(), name="sse-reader"),
        asyncio.create_task(telemetry(transport), name="telemetry"),
    ]
    start = asyncio.create_task(session.request("initialize"), name="initialize")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await start
    for task in others:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
