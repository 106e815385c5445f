"""A migration takes the schema's lock by hand and returns; nobody ever gives it back."""

import asyncio

EXPECT = {
    "kind": "abandoned_lock",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["query:users"],
    "cause": ["migrate"],
    "bystanders": ["metrics"],
    "report": "",
    "tracked": False,
}

SCHEMA = asyncio.Lock()


async def migrate():
    await SCHEMA.acquire()
    await asyncio.sleep(0.02)


async def query(table):
    async with SCHEMA:
        return table


async def metrics():
    while True:
        await asyncio.sleep(0.1)


async def main():
    counting = asyncio.create_task(metrics(), name="metrics")
    await asyncio.create_task(migrate(), name="migrate")
    asking = asyncio.create_task(query("users"), name="query:users")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asking
    counting.cancel()


if __name__ == "__main__":
    asyncio.run(main())
