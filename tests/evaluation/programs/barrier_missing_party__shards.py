"""Shards of a migration meet at a barrier after each step; one of them has failed."""

import asyncio

EXPECT = {
    "kind": "barrier_missing_party",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["shard-0", "shard-2", "shard-3"],
    "cause": ["shard-1", "OSError"],
    "bystanders": ["lease"],
    "report": "",
    "tracked": False,
    "python": "3.11",
}


class Migration:
    def __init__(self, shards):
        self.step_done = asyncio.Barrier(shards)
        self.moved = [0] * shards

    async def copy(self, shard):
        await asyncio.sleep(0.01)
        if shard == 1 and self.moved[1] == 2:
            raise OSError(28, "No space left on device")
        self.moved[shard] += 1

    async def run(self, shard):
        for _step in range(5):
            await self.copy(shard)
            await self.step_done.wait()


async def renew_lease():
    while True:
        await asyncio.sleep(0.1)


async def main():
    migration = Migration(4)
    lease = asyncio.create_task(renew_lease(), name="lease")
    shards = [
        asyncio.create_task(migration.run(number), name=f"shard-{number}") for number in range(4)
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*shards, return_exceptions=True)
    lease.cancel()


if __name__ == "__main__":
    asyncio.run(main())
