"""Both ends of a socket pair are echo filters with a small buffer, and each writes before it reads."""

import asyncio
import socket

EXPECT = {
    "kind": "mutual_backpressure",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["editor", "language-server"],
    "cause": [],
    "bystanders": ["spinner"],
    "report": "grpc/grpc#40989",
    "tracked": False,
}


class Peer:
    def __init__(self, name):
        self.name = name
        self.received = 0

    async def open(self, sock):
        self.reader, self.writer = await asyncio.open_connection(sock=sock)

    async def send_all(self, messages):
        for message in messages:
            self.writer.write(len(message).to_bytes(4, "big") + message)
            await self.writer.drain()

    async def receive_all(self, count):
        for _ in range(count):
            size = int.from_bytes(await self.reader.readexactly(4), "big")
            await self.reader.readexactly(size)
            self.received += 1

    async def talk(self, messages):
        await self.send_all(messages)
        await self.receive_all(len(messages))


async def spin():
    while True:
        await asyncio.sleep(0.1)


async def main():
    editor, server = Peer("editor"), Peer("language-server")
    for peer, sock in zip((editor, server), socket.socketpair(), strict=True):
        await peer.open(sock)
    spinner = asyncio.create_task(spin(), name="spinner")
    documents = [bytes(100_000) for _ in range(60)]
    talks = [asyncio.create_task(peer.talk(documents), name=peer.name) for peer in (editor, server)]
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    await asyncio.gather(*talks)
    spinner.cancel()


if __name__ == "__main__":
    asyncio.run(main())
