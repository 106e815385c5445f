"""`main` starts a server and parks itself on a future that is never resolved, to run for ever."""

import asyncio

EXPECT = {"healthy": True, "like": "never_resolved_future"}


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
    writer.close()


async def main():
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    loop.call_later(0.3, lambda: print("READY", flush=True))
    try:
        await loop.create_future()
    finally:
        server.close()


if __name__ == "__main__":
    asyncio.run(main())
