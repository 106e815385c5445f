"""A publisher became async; one caller still calls it as a function and drops the coroutine."""

import asyncio

EXPECT = {
    "kind": "unawaited_coroutine",
    "also": ["event_never_set"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["dashboard"],
    "cause": ["importer"],
    "bystanders": ["cron"],
    "report": "home-assistant/core#43657",
}


class Board:
    def __init__(self):
        self.loaded = asyncio.Event()
        self.rows = []

    async def announce(self):
        await asyncio.sleep(0.01)
        self.loaded.set()

    async def load(self):
        for number in range(5):
            await asyncio.sleep(0.02)
            self.rows.append(number)
        self.announce()

    async def show(self):
        await self.loaded.wait()
        return len(self.rows)


async def cron():
    while True:
        await asyncio.sleep(0.3)


async def main():
    board = Board()
    ticking = asyncio.create_task(cron(), name="cron")
    importer = asyncio.create_task(board.load(), name="importer")
    showing = asyncio.create_task(board.show(), name="dashboard")
    await importer
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await showing
    ticking.cancel()


if __name__ == "__main__":
    asyncio.run(main())
