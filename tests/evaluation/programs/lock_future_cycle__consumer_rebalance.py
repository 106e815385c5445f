"""`poll` runs under the application's lock and waits for a rebalance whose listener needs that lock."""

import asyncio

EXPECT = {
    "kind": "lock_future_cycle",
    "also": ["lock_task_cycle"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["poll-loop", "coordinator"],
    "cause": ["state_lock"],
    "bystanders": ["group-heartbeat"],
    "report": "aio-libs/aiokafka#335",
    "tracked": False,
}


class Coordinator:
    def __init__(self, listener):
        self.listener = listener
        self.joined = None
        self.generation = 0
        self.requested = asyncio.Event()

    def ensure_active(self):
        if self.joined is None or self.joined.done():
            self.joined = asyncio.get_running_loop().create_future()
            self.requested.set()
        return self.joined

    async def run(self):
        while True:
            await self.requested.wait()
            self.requested.clear()
            await self.listener.on_partitions_revoked()
            self.generation += 1
            await self.listener.on_partitions_assigned()
            if self.joined is not None and not self.joined.done():
                self.joined.set_result(self.generation)


class App:
    def __init__(self):
        self.state_lock = asyncio.Lock()
        self.partitions = set()
        self.coordinator = Coordinator(self)

    async def on_partitions_revoked(self):
        async with self.state_lock:
            self.partitions.clear()

    async def on_partitions_assigned(self):
        async with self.state_lock:
            self.partitions.update({0, 1, 2})

    async def poll(self):
        while True:
            async with self.state_lock:
                await asyncio.sleep(0.02)
                await self.coordinator.ensure_active()


async def send_heartbeats(sent):
    while True:
        await asyncio.sleep(0.1)
        sent.append("heartbeat")
        del sent[:-5]


async def main():
    app = App()
    running = [
        asyncio.create_task(send_heartbeats([]), name="group-heartbeat"),
        asyncio.create_task(app.coordinator.run(), name="coordinator"),
        asyncio.create_task(app.poll(), name="poll-loop"),
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*running)


if __name__ == "__main__":
    asyncio.run(main())
