"""Each call keeps the lock until its reply has come; the reader needs no lock, the server is slow."""

import asyncio

EXPECT = {"healthy": True, "like": "lock_future_cycle"}


class Session:
    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._lock = asyncio.Lock()
        self._reply = None

    async def call(self, line):
        async with self._lock:
            self._reply = asyncio.get_running_loop().create_future()
            self._writer.write(line + b"\n")
            await self._writer.drain()
            return await self._reply

    async def read(self):
        while True:
            line = await self._reader.readline()
            if self._reply is not None:
                self._reply.set_result(line)


async def slow_server(reader, writer):
    while line := await reader.readline():
        await asyncio.sleep(5)
        writer.write(line.upper())
    writer.close()


async def ask(session, name):
    while True:
        await session.call(name.encode())


async def main():
    server = await asyncio.start_server(slow_server, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    session = Session(reader, writer)
    tasks = [asyncio.create_task(session.read(), name="session-reader")]
    tasks += [asyncio.create_task(ask(session, name), name=f"ask:{name}") for name in ("a", "b")]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
