"""A request waits for an answer that may never come; a timer cancels it then, as old code does."""

import asyncio
import contextlib

EXPECT = {"healthy": True, "like": "never_resolved_future"}


async def answer_to(number):
    return await asyncio.get_running_loop().create_future()


async def request(number):
    loop = asyncio.get_running_loop()
    give_up = loop.call_later(6, asyncio.current_task().cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await answer_to(number)
    give_up.cancel()


async def client(name):
    number = 0
    while True:
        number += 1
        await asyncio.create_task(request(number), name=f"{name}:request-{number}")


async def main():
    clients = [asyncio.create_task(client(name), name=name) for name in ("ping", "sync")]
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(*clients)


if __name__ == "__main__":
    asyncio.run(main())
