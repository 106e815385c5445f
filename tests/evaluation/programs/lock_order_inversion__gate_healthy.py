"""Two jobs take two locks in different orders, but only ever under a third one that they share."""

import asyncio

EXPECT = {"healthy": True, "like": "lock_order_inversion"}


class Cluster:
    def __init__(self):
        self.membership = asyncio.Lock()
        self.routes = asyncio.Lock()
        self.shards = asyncio.Lock()

    async def rebalance(self):
        async with self.membership, self.routes, self.shards:
            await asyncio.sleep(0.02)

    async def evict(self):
        async with self.membership, self.shards:
            await asyncio.sleep(0.01)
            async with self.routes:
                await asyncio.sleep(0.01)


async def repeat(job):
    while True:
        await job()
        await asyncio.sleep(0.03)


async def main():
    cluster = Cluster()
    tasks = [
        asyncio.create_task(repeat(cluster.rebalance), name="rebalance"),
        asyncio.create_task(repeat(cluster.evict), name="evict"),
    ]
    await asyncio.sleep(0.4)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
