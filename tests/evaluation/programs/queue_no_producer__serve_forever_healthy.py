"""A server hands its requests to one dispatcher; no client has come yet, and `main` keeps no reference."""

import asyncio
import contextlib

EXPECT = {"healthy": True, "like": "queue_no_producer"}


async def dispatch(requests):
    while True:
        request, answer = await requests.get()
        answer.set_result(request.upper())


async def start():
    requests = asyncio.Queue(maxsize=100)

    async def handle(reader, writer):
        with contextlib.closing(writer):
            while line := await reader.readline():
                answer = asyncio.get_running_loop().create_future()
                await requests.put((line, answer))
                writer.write(await answer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, asyncio.create_task(dispatch(requests), name="dispatcher")


async def main():
    server, dispatcher = await start()
    serving = asyncio.create_task(server.serve_forever(), name="serve")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(serving, dispatcher)


if __name__ == "__main__":
    asyncio.run(main())
