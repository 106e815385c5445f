"""A service waits in `main` for an event that only the handler of SIGTERM sets, and then cleans up."""

import asyncio
import signal

EXPECT = {"healthy": True, "like": "event_never_set"}


async def consume(number):
    while True:
        await asyncio.sleep(0.2 * number)


async def flush(stopping, buffer):
    await stopping.wait()
    buffer.clear()


async def main():
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT"):
        loop.add_signal_handler(getattr(signal, name), stopping.set)
    consumers = [asyncio.create_task(consume(n), name=f"consumer:{n}") for n in (1, 2)]
    flushing = asyncio.create_task(flush(stopping, []), name="flush-at-exit")
    loop.call_later(0.3, lambda: print("READY", flush=True))
    await stopping.wait()
    for task in consumers:
        task.cancel()
    await flushing


if __name__ == "__main__":
    asyncio.run(main())
