"""Thirty tasks that yield after a millisecond each: busy, and every turn is short."""

import asyncio
import time

EXPECT = {"healthy": True, "like": "loop_starved"}


async def render(page):
    while True:
        until = time.perf_counter() + 0.001
        cells = 0
        while time.perf_counter() < until:
            cells += len(str(cells))
        await asyncio.sleep(0.05)


async def ping():
    while True:
        await asyncio.sleep(0.2)


async def main():
    tasks = [asyncio.create_task(render(page), name=f"render-{page}") for page in range(30)]
    tasks.append(asyncio.create_task(ping(), name="websocket-ping"))
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
