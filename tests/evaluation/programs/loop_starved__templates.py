"""Thirty renderers take sixty milliseconds each and yield politely: one turn takes two seconds."""

import asyncio
import time

EXPECT = {
    "kind": "loop_starved",
    "also": [],
    "verdict": ["stall", "suspect"],
    "stuck": [],
    "cause": ["render"],
    "bystanders": ["websocket-ping"],
    "report": "MagicStack/uvloop#656",
}


def render_block(seconds):
    until = time.perf_counter() + seconds
    cells = 0
    while time.perf_counter() < until:
        cells += len(str(cells))
    return cells


async def render(page):
    await asyncio.sleep(0.1)
    while True:
        render_block(0.06)
        await asyncio.sleep(0)


async def ping(late):
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 0.2
        await asyncio.sleep(0.2)
        late.append(loop.time() - due)
        if len(late) == 1:
            print("READY", flush=True)


async def main():
    await asyncio.gather(
        asyncio.create_task(ping([]), name="websocket-ping"),
        *(asyncio.create_task(render(page), name=f"render-{page}") for page in range(30)),
    )


if __name__ == "__main__":
    asyncio.run(main())
