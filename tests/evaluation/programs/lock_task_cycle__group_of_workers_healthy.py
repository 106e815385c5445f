"""A supervisor holds its lock while it waits in a TaskGroup for workers that move slowly."""

import asyncio

EXPECT = {"healthy": True, "like": "lock_task_cycle", "python": "3.11"}


class Supervisor:
    def __init__(self):
        self.lock = asyncio.Lock()
        self.progress = {}

    async def work(self, name, seconds):
        for step in range(1_000):
            await asyncio.sleep(seconds)
            self.progress[name] = step

    async def run(self):
        async with self.lock, asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(self.work(number, 0.5 + number), name=f"worker:{number}")

    async def status(self):
        async with self.lock:
            return dict(self.progress)


async def main():
    supervisor = Supervisor()
    running = asyncio.create_task(supervisor.run(), name="supervisor")
    await asyncio.sleep(0.05)
    asking = asyncio.create_task(supervisor.status(), name="status-page")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(running, asking)


if __name__ == "__main__":
    asyncio.run(main())
