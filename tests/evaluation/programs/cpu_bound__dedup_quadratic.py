"""A sync job compares every record with every other, which was fine with the test data."""

import asyncio

EXPECT = {
    "kind": "cpu_bound",
    "also": [],
    "verdict": ["stall"],
    "stuck": ["sync:contacts"],
    "cause": ["find_duplicates"],
    "bystanders": ["websocket-ping"],
    "report": "Tribler/tribler#7414",
}


class Contact:
    def __init__(self, number):
        self.name = f"contact {number}"
        self.mail = f"c{number}@example.org"

    def same(self, other):
        return self.name.lower() == other.name.lower() or self.mail.lower() == other.mail.lower()


def find_duplicates(contacts):
    return [
        (one.name, other.name)
        for position, one in enumerate(contacts)
        for other in contacts[position + 1 :]
        if one.same(other)
    ]


async def sync(number):
    contacts = [Contact(number) for number in range(number)]
    await asyncio.sleep(0.2)
    return find_duplicates(contacts)


async def ping():
    while True:
        await asyncio.sleep(0.2)


async def main():
    pinging = asyncio.create_task(ping(), name="websocket-ping")
    await asyncio.create_task(sync(50), name="sync:test")
    print("READY", flush=True)
    await asyncio.create_task(sync(40_000), name="sync:contacts")
    pinging.cancel()


if __name__ == "__main__":
    asyncio.run(main())
