"""A search compares a misspelt name with a recursive edit distance, in its handler."""

import asyncio

EXPECT = {
    "kind": "cpu_bound",
    "also": [],
    "verdict": ["stall"],
    "stuck": ["search:smth"],
    "cause": ["distance"],
    "bystanders": ["presence"],
    "report": "hassette/hassette#162",
}


def distance(one, other):
    if not one or not other:
        return len(one) + len(other)
    if one[0] == other[0]:
        return distance(one[1:], other[1:])
    return 1 + min(distance(one[1:], other), distance(one, other[1:]), distance(one[1:], other[1:]))


class Directory:
    def __init__(self, names):
        self.names = names

    def best(self, wanted):
        return min(self.names, key=lambda name: distance(wanted, name))

    async def search(self, wanted):
        await asyncio.sleep(0.1)
        return self.best(wanted)


async def presence():
    while True:
        await asyncio.sleep(0.1)


async def main():
    directory = Directory(["smith", "schmidt", "smoothington-abernathy", "smithers-underwood"])
    online = asyncio.create_task(presence(), name="presence")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    task = asyncio.create_task(directory.search("xqjzvkwyxqjzvkwy"), name="search:smth")
    print(await task, flush=True)
    online.cancel()


if __name__ == "__main__":
    asyncio.run(main())
