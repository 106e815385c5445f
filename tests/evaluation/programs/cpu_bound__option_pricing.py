"""A pricing service simulates in pure Python, inside its request handler."""

import asyncio
import random

EXPECT = {
    "kind": "cpu_bound",
    "also": [],
    "verdict": ["stall"],
    "stuck": ["price:basket"],
    "cause": ["simulate"],
    "bystanders": ["quotes", "heartbeat"],
    "report": "ethereum/trinity#1962",
}


def step(value):
    return value * (1 + random.gauss(0.0001, 0.01))


def simulate(paths):
    total = 0.0
    for _ in range(paths):
        value = 100.0
        for _ in range(250):
            value = step(value)
        total += max(value - 100.0, 0.0)
    return total / paths


async def price(paths):
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    return simulate(paths)


async def every(seconds):
    while True:
        await asyncio.sleep(seconds)


async def main():
    others = [
        asyncio.create_task(every(0.1), name="quotes"),
        asyncio.create_task(every(0.5), name="heartbeat"),
    ]
    await asyncio.create_task(price(10_000_000), name="price:basket")
    for other in others:
        other.cancel()


if __name__ == "__main__":
    asyncio.run(main())
