"""Two clients of a chat wait on their sockets for the other to write; people write now and then."""

import asyncio

EXPECT = {"healthy": True, "like": "never_resolved_future"}


class Room:
    def __init__(self):
        self.members = set()

    async def join(self, reader, writer):
        self.members.add(writer)
        while line := await reader.readline():
            for member in self.members - {writer}:
                member.write(line)
        self.members.discard(writer)
        writer.close()


async def listen(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello\n")
    while await reader.readline():
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(Room().join, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    clients = [asyncio.create_task(listen(address), name=f"chat:{n}") for n in ("ann", "ben")]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*clients)


if __name__ == "__main__":
    asyncio.run(main())
