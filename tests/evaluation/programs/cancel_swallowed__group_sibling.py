"""A child of a TaskGroup fails; its sibling takes the cancellation for a timeout and goes on."""

import asyncio

EXPECT = {
    "kind": "cancel_swallowed",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["feed:sports"],
    "cause": ["feeds"],
    "bystanders": ["heartbeat"],
    "report": "python/cpython#128550",
    "python": "3.11",
}


class Feed:
    def __init__(self, name, lines):
        self.name = name
        self.lines = lines
        self.retries = 0

    async def wait_for_line(self):
        while not self.lines:
            await asyncio.sleep(0.1)
        return self.lines.pop()

    async def follow(self):
        while True:
            try:
                line = await self.wait_for_line()
            except asyncio.CancelledError:  # what our old transport raised on a timeout
                self.retries += 1
                continue
            if line == "broken":
                raise ValueError(self.name)


async def feeds():
    async with asyncio.TaskGroup() as group:
        group.create_task(Feed("sports", []).follow(), name="feed:sports")
        await asyncio.sleep(0.2)
        group.create_task(Feed("news", ["broken"]).follow(), name="feed:news")


async def heartbeat():
    while True:
        await asyncio.sleep(0.3)


async def main():
    beating = asyncio.create_task(heartbeat(), name="heartbeat")
    following = asyncio.create_task(feeds(), name="feeds")
    await asyncio.sleep(0.8)
    print("READY", flush=True)
    await following
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
