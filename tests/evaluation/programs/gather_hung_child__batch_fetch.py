"""Eleven of twelve fetches are done; the server accepted the twelfth and never answers."""

import asyncio

EXPECT = {
    "kind": "gather_hung_child",
    "also": [],
    "verdict": ["suspect"],
    "stuck": ["fetch:7"],
    "cause": ["nightly-batch"],
    "bystanders": ["heartbeat", "fetch:3"],
    "report": "pydantic/logfire#2186",
}


class Backend:
    """A server that loses one request."""

    def __init__(self):
        self.lost = []

    async def answer(self, reader, writer):
        number = int(await reader.readline())
        if number == 7:
            self.lost.append((reader, writer))  # the connection stays open, with nobody on it
            return
        writer.write(b"%d ok\n" % number)
        await writer.drain()
        writer.close()


async def fetch(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"%d\n" % number)
    line = await reader.readline()
    writer.close()
    return line


async def nightly(port):
    fetches = [
        asyncio.create_task(fetch(port, number), name=f"fetch:{number}") for number in range(1, 13)
    ]
    return await asyncio.gather(*fetches)


async def heartbeat():
    while True:
        await asyncio.sleep(0.5)


async def main():
    backend = Backend()
    server = await asyncio.start_server(backend.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    beating = asyncio.create_task(heartbeat(), name="heartbeat")
    batch = asyncio.create_task(nightly(port), name="nightly-batch")
    await asyncio.sleep(1)
    print("READY", flush=True)
    await batch
    beating.cancel()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
