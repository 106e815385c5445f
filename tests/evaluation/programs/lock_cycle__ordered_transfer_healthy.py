"""Transfers between accounts lock both in one order; there is much contention, and all of it moves."""

import asyncio
import itertools

EXPECT = {"healthy": True, "like": "lock_cycle"}


class Account:
    def __init__(self, owner, balance):
        self.owner = owner
        self.balance = balance
        self.lock = asyncio.Lock()


async def transfer(source, target, amount):
    first, second = sorted((source, target), key=lambda account: account.owner)
    async with first.lock:
        await asyncio.sleep(0.01)
        async with second.lock:
            await asyncio.sleep(0.02)
            source.balance -= amount
            target.balance += amount


async def customer(source, target):
    for amount in itertools.cycle((5, 10, 20)):
        await transfer(source, target, amount)


async def main():
    alice, bob, carol = (Account(name, 100) for name in ("alice", "bob", "carol"))
    pairs = itertools.permutations((alice, bob, carol), 2)
    customers = [
        asyncio.create_task(customer(a, b), name=f"{a.owner}->{b.owner}") for a, b in pairs
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*customers)


if __name__ == "__main__":
    asyncio.run(main())
