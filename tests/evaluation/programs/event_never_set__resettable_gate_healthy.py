"""Leader election: followers wait for an event that the leader's task sets when its lease is lost."""

import asyncio

EXPECT = {"healthy": True, "like": "event_never_set"}


class Lease:
    def __init__(self):
        self.lost = asyncio.Event()

    async def keep(self, renewals):
        for _ in range(renewals):
            await asyncio.sleep(1)
        self.lost.set()


async def follower(lease):
    await lease.lost.wait()
    return "candidate"


async def main():
    lease = Lease()
    leader = asyncio.create_task(lease.keep(90), name="leader")
    followers = [asyncio.create_task(follower(lease), name=f"follower:{n}") for n in range(3)]
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(leader, *followers)


if __name__ == "__main__":
    asyncio.run(main())
