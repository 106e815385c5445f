"""A driver closes its servers while it holds the topology's lock, and each server reports to the topology."""

import asyncio

EXPECT = {
    "kind": "lock_task_cycle",
    "also": ["self_deadlock", "lock_cycle"],
    "verdict": ["deadlock"],
    "stuck": ["client-close"],
    "cause": ["_lock"],
    "bystanders": ["idle-reaper"],
    "report": "mongodb/mongo-python-driver#2250",
    "tracked": False,
}


class Topology:
    def __init__(self, addresses):
        self._lock = asyncio.Lock()
        self._servers = {address: Server(self, address) for address in addresses}
        self.events = []

    async def on_change(self, address, description):
        async with self._lock:
            self.events.append((address, description))

    async def select(self):
        async with self._lock:
            return next(iter(self._servers.values()))

    async def close(self):
        async with self._lock:
            closing = [
                asyncio.create_task(server.close(), name=f"close:{server.address}")
                for server in self._servers.values()
            ]
            await asyncio.gather(*closing)
            self._servers.clear()


class Server:
    def __init__(self, topology, address):
        self.topology = topology
        self.address = address

    async def close(self):
        await asyncio.sleep(0.02)  # says good-bye on the wire
        await self.topology.on_change(self.address, "unknown")


async def query(topology, delay):
    await asyncio.sleep(delay)
    return await topology.select()


async def reap(pools):
    while True:
        await asyncio.sleep(0.1)
        pools.clear()


async def main():
    topology = Topology(["mongo-1:27017", "mongo-2:27017"])
    reaper = asyncio.create_task(reap([]), name="idle-reaper")
    work = [
        asyncio.create_task(query(topology, 0.01), name="query:1"),
        asyncio.create_task(topology.close(), name="client-close"),
        asyncio.create_task(query(topology, 0.1), name="query:2"),
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*work)
    reaper.cancel()


if __name__ == "__main__":
    asyncio.run(main())
