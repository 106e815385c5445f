"""Two of three downloads are done; the third is slow, and moves with every chunk."""

import asyncio

EXPECT = {"healthy": True, "like": "gather_hung_child"}


async def send(reader, writer):
    chunks = int(await reader.readline())
    for number in range(chunks):
        writer.write(b"chunk %d\n" % number)
        await writer.drain()
        await asyncio.sleep(0.2)
    writer.close()


async def download(port, chunks):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"%d\n" % chunks)
    size = 0
    while line := await reader.readline():
        size += len(line)
    writer.close()
    return size


async def main():
    server = await asyncio.start_server(send, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    asyncio.get_running_loop().call_later(1, lambda: print("READY", flush=True))
    while True:
        downloads = [
            asyncio.create_task(download(port, chunks), name=f"download:{chunks}")
            for chunks in (1, 2, 1000)
        ]
        await asyncio.gather(*downloads)


if __name__ == "__main__":
    asyncio.run(main())
