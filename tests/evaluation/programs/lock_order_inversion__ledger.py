"""`settle` and `audit` take the ledger's two locks in different orders; so far never at the same time."""

import asyncio

EXPECT = {
    "kind": "lock_order_inversion",
    "also": [],
    "verdict": ["suspect"],
    "stuck": [],
    "cause": ["journal", "balances"],
    "bystanders": ["mailer"],
    "report": "python-trio/trio#182",
    "tracked": True,
}


class Ledger:
    def __init__(self):
        self.journal = asyncio.Lock()
        self.balances = asyncio.Lock()
        self.entries = []

    async def settle(self):
        async with self.journal:
            self.entries.append("settled")
            async with self.balances:
                await asyncio.sleep(0.01)

    async def audit(self):
        async with self.balances:
            await asyncio.sleep(0.01)
            async with self.journal:
                return len(self.entries)


async def cron(ledger):
    while True:
        await ledger.settle()
        await asyncio.sleep(0.05)
        await ledger.audit()
        await asyncio.sleep(0.05)


async def mailer():
    while True:
        await asyncio.sleep(0.1)


async def main():
    ledger = Ledger()
    tasks = [
        asyncio.create_task(cron(ledger), name="cron"),
        asyncio.create_task(mailer(), name="mailer"),
    ]
    await asyncio.sleep(0.4)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
