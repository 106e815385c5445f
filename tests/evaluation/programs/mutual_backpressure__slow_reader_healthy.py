"""A big file goes through a connection whose other end, in this process too, reads it slowly."""

import asyncio

EXPECT = {"healthy": True, "like": "mutual_backpressure"}


async def send_file(writer):
    for _block in range(2_000):
        writer.write(bytes(256 * 1024))
        await writer.drain()
    writer.close()


async def play(reader, writer):
    asyncio.current_task().set_name("player")
    while await reader.read(64 * 1024):
        await asyncio.sleep(0.25)
    writer.close()


async def main():
    server = await asyncio.start_server(play, "127.0.0.1", 0)
    _reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    sender = asyncio.create_task(send_file(writer), name="sender")
    await asyncio.sleep(0.8)
    print("READY", flush=True)
    await sender


if __name__ == "__main__":
    asyncio.run(main())
