"""A link plans its reconnects as coroutines; the supervisor that ran the plans is turned off."""

import asyncio

EXPECT = {
    "kind": "unawaited_coroutine",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["send:17"],
    "cause": ["reconnect"],
    "bystanders": ["watchdog"],
    "report": "empicano/aiomqtt#174",
}


class Link:
    def __init__(self, *, supervised):
        self.supervised = supervised
        self.plans = {}
        self.up = asyncio.get_running_loop().create_future()
        self.attempts = 0

    async def reconnect(self, delay):
        await asyncio.sleep(delay)
        self.attempts += 1
        self.up.set_result("connected")

    def lost(self, peer):
        self.plans[peer] = (0.1, self.reconnect(0.1))

    async def supervise(self):
        while self.supervised:
            for peer in list(self.plans):
                _, plan = self.plans.pop(peer)
                await plan
            await asyncio.sleep(0.05)

    async def send(self, number):
        await self.up
        return number


async def watchdog(link):
    while True:
        await asyncio.sleep(0.3)
        assert len(link.plans) < 10


async def main():
    link = Link(supervised=False)
    supervisor = asyncio.create_task(link.supervise(), name="supervisor")
    watching = asyncio.create_task(watchdog(link), name="watchdog")
    link.lost("10.1.1.1:1883")
    sending = asyncio.create_task(link.send(17), name="send:17")
    await supervisor
    await asyncio.sleep(0.4)
    print("READY", flush=True)
    await sending
    watching.cancel()


if __name__ == "__main__":
    asyncio.run(main())
