"""Calls of an RPC client wait for replies that a slow server sends in another order."""

import asyncio
import itertools

EXPECT = {"healthy": True, "like": "never_resolved_future"}


class RpcClient:
    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._pending = {}
        self._task = asyncio.create_task(self._read(), name="rpc-reader")

    async def _read(self):
        while line := await self._reader.readline():
            number, _, result = line.decode().partition(" ")
            self._pending.pop(int(number)).set_result(result)

    async def call(self, method):
        number = next(self._ids)
        future = self._pending[number] = asyncio.get_running_loop().create_future()
        self._writer.write(f"{number} {method}\n".encode())
        return await future


async def serve(reader, writer):
    async def answer(line, delay):
        await asyncio.sleep(delay)
        writer.write(line)

    for delay in itertools.cycle((7, 3, 5)):
        line = await reader.readline()
        if not line:
            break
        answering.add(asyncio.create_task(answer(line, delay), name="server:answer"))


answering = set()


async def caller(client, name):
    while True:
        await client.call(name)


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = RpcClient(*await asyncio.open_connection(*server.sockets[0].getsockname()))
    callers = [asyncio.create_task(caller(client, n), name=f"call:{n}") for n in ("a", "b", "c")]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*callers)


if __name__ == "__main__":
    asyncio.run(main())
