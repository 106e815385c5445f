"""Commits are shielded from impatient clients; each is over within a second."""

import asyncio

EXPECT = {"healthy": True, "like": "shield_misuse"}


class Ledger:
    def __init__(self):
        self.entries = []
        self.lock = asyncio.Lock()

    async def commit(self, entry):
        async with self.lock:
            await asyncio.sleep(0.4)
            self.entries.append(entry)
            del self.entries[:-50]


async def client(ledger, name):
    while True:
        try:
            await asyncio.wait_for(asyncio.shield(ledger.commit(name)), 0.2)
        except asyncio.TimeoutError:
            await asyncio.sleep(0.9)  # the commit goes on behind the client's back


async def main():
    ledger = Ledger()
    clients = [
        asyncio.create_task(client(ledger, name), name=f"client:{name}") for name in ("ann", "bob")
    ]
    await asyncio.sleep(1)
    print("READY", flush=True)
    await asyncio.gather(*clients)


if __name__ == "__main__":
    asyncio.run(main())
