"""A countdown that was written by hand waits for five replicas; one was never started."""

import asyncio

EXPECT = {
    "kind": "barrier_missing_party",
    "also": ["event_never_set", "never_resolved_future", "lost_wakeup"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["election"],
    "cause": [],
    "bystanders": ["gossip"],
    "report": "",
    "tracked": False,
}


class Countdown:
    def __init__(self, count):
        self._left = count
        self._zero = asyncio.Event()

    def down(self):
        self._left -= 1
        if self._left == 0:
            self._zero.set()

    async def wait(self):
        await self._zero.wait()


async def replica(votes, number):
    await asyncio.sleep(0.01 * number)
    votes.down()


async def elect(names):
    votes = Countdown(len(names))
    replicas = [
        asyncio.create_task(replica(votes, number), name=f"replica:{name}")
        for number, name in enumerate(names)
        if not name.startswith("#")
    ]
    await votes.wait()
    return len(replicas)


async def gossip():
    while True:
        await asyncio.sleep(0.1)


async def main():
    talking = asyncio.create_task(gossip(), name="gossip")
    names = ["eu-1", "eu-2", "#eu-3", "us-1", "us-2"]
    election = asyncio.create_task(elect(names), name="election")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await election
    talking.cancel()


if __name__ == "__main__":
    asyncio.run(main())
