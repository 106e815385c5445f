"""Two replicas in one process send each other their whole state before they read the other's."""

import asyncio

EXPECT = {
    "kind": "mutual_backpressure",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["replica:left", "replica:right"],
    "cause": [],
    "bystanders": ["rtt"],
    "report": "aio-libs/aiohttp#2217",
    "tracked": False,
}

STATE = 8 * 2**20


async def synchronise(reader, writer):
    writer.write(STATE.to_bytes(8, "big"))
    writer.write(bytes(STATE))
    await writer.drain()
    size = int.from_bytes(await reader.readexactly(8), "big")
    return await reader.readexactly(size)


async def left(started):
    async def accept(reader, writer):
        asyncio.current_task().set_name("replica:left")
        await synchronise(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    started.set_result(server.sockets[0].getsockname())
    async with server:
        await server.serve_forever()


async def right(address):
    reader, writer = await asyncio.open_connection(*address)
    await synchronise(reader, writer)


async def measure():
    while True:
        await asyncio.sleep(0.1)


async def main():
    started = asyncio.get_running_loop().create_future()
    others = [
        asyncio.create_task(measure(), name="rtt"),
        asyncio.create_task(left(started), name="listen"),
    ]
    joining = asyncio.create_task(right(await started), name="replica:right")
    await asyncio.sleep(1)
    print("READY", flush=True)
    await joining
    for task in others:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
