"""Consumers wait on a Condition that a poller notifies each time its slow sensor has a new value."""

import asyncio

EXPECT = {"healthy": True, "like": "lost_wakeup"}


class Sensor:
    def __init__(self):
        self.changed = asyncio.Condition()
        self.value = 0

    async def poll(self):
        while True:
            await asyncio.sleep(5)
            async with self.changed:
                self.value += 1
                self.changed.notify_all()

    async def follow(self):
        seen = 0
        while True:
            async with self.changed:
                await self.changed.wait_for(lambda: self.value != seen)  # noqa: B023
                seen = self.value


async def main():
    sensor = Sensor()
    tasks = [asyncio.create_task(sensor.poll(), name="poller")]
    tasks += [asyncio.create_task(sensor.follow(), name=f"chart:{n}") for n in range(3)]
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
