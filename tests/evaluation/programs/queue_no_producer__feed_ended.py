"""The feed of a price board ends with an error and sends no end mark; the board waits for the next price."""

import asyncio

EXPECT = {
    "kind": "queue_no_producer",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["board"],
    "cause": ["feed", "ValueError"],
    "bystanders": ["clock"],
    "report": "benjamin-hodgson/asynqp#6",
    "tracked": False,
}


async def ticks():
    for text in ("101.5", "101.7", "n/a", "101.9"):
        await asyncio.sleep(0.01)
        yield text


async def feed(prices):
    async for text in ticks():
        await prices.put(float(text))
    await prices.put(None)


async def board(prices):
    highest = 0.0
    while (price := await prices.get()) is not None:
        highest = max(highest, price)
    return highest


async def clock():
    while True:
        await asyncio.sleep(0.1)


async def follow_market():
    prices = asyncio.Queue()
    feeding = asyncio.create_task(feed(prices), name="feed")
    showing = asyncio.create_task(board(prices), name="board")
    highest = await showing
    await feeding
    return highest


async def main():
    ticking = asyncio.create_task(clock(), name="clock")
    market = asyncio.create_task(follow_market(), name="market")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await market
    ticking.cancel()


if __name__ == "__main__":
    asyncio.run(main())
