"""Frames come in bursts whose decoding keeps the loop busy in short steps; viewers follow with a lag."""

import asyncio

EXPECT = {"healthy": True, "like": "lost_wakeup"}


def decode(size):
    return sum(number * number for number in range(size))


async def camera(frames):
    while True:
        for _ in range(10):
            decode(60_000)
            await frames.put(b"frame")
        await asyncio.sleep(0.4)


async def viewer(frames, shown):
    while True:
        await frames.get()
        decode(20_000)
        async with shown:
            shown.notify_all()


async def recorder(shown):
    while True:
        async with shown:
            await shown.wait()


async def main():
    frames, shown = asyncio.Queue(maxsize=3), asyncio.Condition()
    tasks = [
        asyncio.create_task(camera(frames), name="camera"),
        asyncio.create_task(viewer(frames, shown), name="viewer"),
        asyncio.create_task(recorder(shown), name="recorder"),
    ]
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
