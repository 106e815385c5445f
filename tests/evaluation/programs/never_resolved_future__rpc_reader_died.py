"""The reader of an RPC client dies of an unknown reply id; every pending call waits for ever."""

import asyncio
import itertools
import json

EXPECT = {
    "kind": "never_resolved_future",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["call:balance"],
    "cause": ["rpc-reader", "KeyError"],
    "bystanders": ["price-ticker"],
    "report": "aio-libs-abandoned/aioredis-py#54",
    "tracked": False,
}


class RpcClient:
    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._pending = {}
        self._task = asyncio.create_task(self._read(), name="rpc-reader")

    async def _read(self):
        while line := await self._reader.readline():
            reply = json.loads(line)
            self._pending.pop(reply["id"]).set_result(reply["result"])

    async def call(self, method):
        number = next(self._ids)
        self._pending[number] = asyncio.get_running_loop().create_future()
        request = json.dumps({"id": number, "method": method})
        self._writer.write(request.encode() + b"\n")
        await self._writer.drain()
        return await self._pending[number]


async def serve(reader, writer):
    while line := await reader.readline():
        request = json.loads(line)
        if request["method"] == "balance":
            request["id"] = 900  # a push message that the client does not know
        reply = json.dumps({"id": request["id"], "result": 42})
        writer.write(reply.encode() + b"\n")
    writer.close()


async def tick(client):
    while True:
        await asyncio.sleep(0.1)


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = RpcClient(*await asyncio.open_connection(*server.sockets[0].getsockname()))
    ticker = asyncio.create_task(tick(client), name="price-ticker")
    await client.call("ping")
    balance = asyncio.create_task(client.call("balance"), name="call:balance")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await balance
    ticker.cancel()


if __name__ == "__main__":
    asyncio.run(main())
