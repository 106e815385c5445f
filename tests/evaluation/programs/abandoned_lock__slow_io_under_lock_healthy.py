"""One task holds the database's lock over a slow query on a real socket; three others wait for it."""

import asyncio

EXPECT = {"healthy": True, "like": "abandoned_lock"}


class Database:
    def __init__(self, reader, writer):
        self.lock = asyncio.Lock()
        self._reader = reader
        self._writer = writer

    async def query(self, text):
        async with self.lock:
            self._writer.write(f"{text}\n".encode())
            await self._writer.drain()
            return await self._reader.readline()


async def serve(reader, writer):
    while line := await reader.readline():
        await asyncio.sleep(9)
        writer.write(line)
    writer.close()


async def page(database, number):
    while True:
        await database.query(f"select {number}")


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    database = Database(*await asyncio.open_connection(*server.sockets[0].getsockname()))
    pages = [asyncio.create_task(page(database, n), name=f"page:{n}") for n in range(4)]
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(*pages)


if __name__ == "__main__":
    asyncio.run(main())
