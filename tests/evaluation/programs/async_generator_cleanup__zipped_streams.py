"""Two event streams are zipped; the shorter ends, the longer stays open with its subscription."""

import asyncio

EXPECT = {
    "kind": "async_generator_cleanup",
    "also": ["permit_leak"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["subscribe:carol"],
    "cause": ["events"],
    "bystanders": ["broker-ping"],
    "report": "golemfactory/yapapi#482",
}


class Broker:
    def __init__(self, subscriptions):
        self.slots = asyncio.BoundedSemaphore(subscriptions)

    async def events(self, topic, count):
        await self.slots.acquire()
        try:
            for number in range(count):
                await asyncio.sleep(0.01)
                yield f"{topic} {number}"
        finally:
            self.slots.release()


class Zipped:
    def __init__(self, *streams):
        self.streams = streams

    def __aiter__(self):
        return self

    async def __anext__(self):
        return [await stream.__anext__() for stream in self.streams]


class Screen:
    def __init__(self, broker):
        self.pairs = Zipped(broker.events("price", 5), broker.events("volume", 3))
        self.lines = []

    async def show(self):
        async for pair in self.pairs:
            self.lines.append(pair)


async def subscribe(broker):
    pairs = Zipped(broker.events("price", 2), broker.events("volume", 2))
    return [pair async for pair in pairs]


async def ping():
    while True:
        await asyncio.sleep(0.3)


async def main():
    broker = Broker(3)
    screens = [Screen(broker), Screen(broker)]
    pinging = asyncio.create_task(ping(), name="broker-ping")
    for screen, name in zip(screens, ("alice", "bob")):  # noqa: B905
        showing = asyncio.create_task(screen.show(), name=f"show:{name}")
        await asyncio.wait([showing], timeout=0.4)
    third = asyncio.create_task(subscribe(broker), name="subscribe:carol")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await third
    pinging.cancel()


if __name__ == "__main__":
    asyncio.run(main())
