"""The usual way to keep a program alive beside its tasks: wait for an event that nobody has."""

import asyncio

EXPECT = {"healthy": True, "like": "event_never_set"}


async def poll(interval):
    while True:
        await asyncio.sleep(interval)


async def main():
    pollers = [asyncio.create_task(poll(seconds), name=f"poll:{seconds}") for seconds in (0.1, 1)]
    asyncio.get_running_loop().call_later(0.3, lambda: print("READY", flush=True))
    await asyncio.Event().wait()
    for task in pollers:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
