"""Renderers meet at a barrier after each frame; one is much slower than the others, and arrives."""

import asyncio

EXPECT = {"healthy": True, "like": "barrier_missing_party", "python": "3.11"}


async def renderer(frame_done, seconds):
    while True:
        await asyncio.sleep(seconds)
        await frame_done.wait()


async def main():
    frame_done = asyncio.Barrier(4)
    renderers = [
        asyncio.create_task(renderer(frame_done, seconds), name=f"renderer:{seconds}")
        for seconds in (0.01, 0.02, 0.03, 6)
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*renderers)


if __name__ == "__main__":
    asyncio.run(main())
