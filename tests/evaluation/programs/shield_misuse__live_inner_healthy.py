"""A request is cancelled while it shields a commit; the commit goes on, and so does the service."""

import asyncio

EXPECT = {"healthy": True, "like": "shield_misuse"}


class Orders:
    def __init__(self):
        self.committed = 0
        self.running = set()

    async def commit(self):
        for _ in range(20):
            await asyncio.sleep(0.1)
        self.committed += 1

    async def request(self):
        commit = asyncio.create_task(self.commit(), name="commit")
        self.running.add(commit)
        commit.add_done_callback(self.running.discard)
        await asyncio.shield(commit)


async def impatient(orders):
    while True:
        request = asyncio.create_task(orders.request(), name="request")
        await asyncio.sleep(0.5)
        request.cancel()
        await asyncio.wait([request])


async def main():
    orders = Orders()
    users = [asyncio.create_task(impatient(orders), name=f"user-{number}") for number in (1, 2)]
    await asyncio.sleep(1.2)
    print("READY", flush=True)
    await asyncio.gather(*users)


if __name__ == "__main__":
    asyncio.run(main())
