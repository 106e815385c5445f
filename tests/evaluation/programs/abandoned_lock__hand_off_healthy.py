"""A recorder takes the device's lock, ends, and a timer gives the lock back when the device has settled."""

import asyncio

EXPECT = {"healthy": True, "like": "abandoned_lock"}


class Camera:
    SETTLE = 6

    def __init__(self):
        self._busy = asyncio.Lock()
        self.pictures = 0

    async def shoot(self):
        await self._busy.acquire()
        await asyncio.sleep(0.05)
        self.pictures += 1
        asyncio.get_running_loop().call_later(self.SETTLE, self._busy.release)


async def main():
    camera = Camera()
    shots = [asyncio.create_task(camera.shoot(), name=f"shot:{number}") for number in range(6)]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*shots)


if __name__ == "__main__":
    asyncio.run(main())
