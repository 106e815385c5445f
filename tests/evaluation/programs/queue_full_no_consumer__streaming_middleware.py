"""Middleware answers from its cache and never reads the stream that the application is still filling."""

import asyncio

EXPECT = {
    "kind": "queue_full_no_consumer",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["app:/report"],
    "cause": [],
    "bystanders": ["accept", "app:/slow"],
    "report": "Kludex/starlette#1028",
    "tracked": False,
}

pending = set()


async def application(path, send):
    for number in range(4):
        if path == "/slow":
            await asyncio.sleep(300)
        await asyncio.sleep(0.01)
        await send(f"{path} chunk {number}")
    await send(None)


async def middleware(path, cache):
    stream = asyncio.Queue(maxsize=1)
    task = asyncio.create_task(application(path, stream.put), name=f"app:{path}")
    pending.add(task)
    task.add_done_callback(pending.discard)
    first = await stream.get()
    if path in cache:
        return cache[path]
    body = [first]
    while (chunk := await stream.get()) is not None:
        body.append(chunk)
    cache[path] = body
    return body


async def accept(cache):
    while True:
        await asyncio.sleep(0.1)
        await middleware("/index", dict(cache))


async def main():
    cache = {"/report": ["cached"]}
    server = asyncio.create_task(accept({}), name="accept")
    await middleware("/report", cache)
    slow = asyncio.create_task(middleware("/slow", cache), name="request:/slow")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(server, slow)


if __name__ == "__main__":
    asyncio.run(main())
