"""A retry decorator lists CancelledError among what it retries; the service can't be stopped."""

import asyncio
import functools

EXPECT = {
    "kind": "cancel_swallowed",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["rates-feed"],
    "cause": ["service-stop"],
    "bystanders": ["prices-feed", "gauge"],
    "report": "aio-libs/aiokafka#773",
}

TRANSIENT = (OSError, asyncio.TimeoutError, asyncio.CancelledError)


def retry(function):
    @functools.wraps(function)
    async def retrying(*args):
        while True:
            try:
                return await function(*args)
            except TRANSIENT:
                await asyncio.sleep(0.05)

    return retrying


class Feed:
    def __init__(self, name):
        self.name = name
        self.updates = asyncio.Queue()

    @retry
    async def next_update(self):
        return await self.updates.get()

    async def follow(self, last):
        while True:
            last[self.name] = await self.next_update()


async def publish(feed):
    number = 0
    while True:
        await asyncio.sleep(0.2)
        number += 1
        feed.updates.put_nowait(number)


async def stop(following):
    following.cancel()
    await asyncio.wait([following])


async def gauge():
    while True:
        await asyncio.sleep(0.5)


async def main():
    rates, last = Feed("rates"), {}
    others = [
        asyncio.create_task(publish(rates), name="prices-feed"),
        asyncio.create_task(gauge(), name="gauge"),
    ]
    following = asyncio.create_task(rates.follow(last), name="rates-feed")
    await asyncio.sleep(0.5)
    stopping = asyncio.create_task(stop(following), name="service-stop")
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await stopping
    for other in others:
        other.cancel()


if __name__ == "__main__":
    asyncio.run(main())
