"""Each visitor's next page is a suspended generator; those who don't come back keep a session."""

import asyncio

EXPECT = {
    "kind": "async_generator_cleanup",
    "also": ["permit_leak"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["visit:carol"],
    "cause": ["result_pages"],
    "bystanders": ["stats"],
    "report": "golemfactory/yapapi#482",
}


class Search:
    def __init__(self, sessions):
        self.sessions = asyncio.Semaphore(sessions)
        self.browsing = {}

    async def result_pages(self, words):
        async with self.sessions:
            for page in range(10):
                await asyncio.sleep(0.01)
                yield f"{words}, page {page}"

    async def next_page(self, visitor, words):
        if visitor not in self.browsing:
            self.browsing[visitor] = self.result_pages(words)
        return await self.browsing[visitor].__anext__()


async def visit(search, visitor, words, pages):
    return [await search.next_page(visitor, words) for _ in range(pages)]


async def stats():
    while True:
        await asyncio.sleep(0.3)


async def main():
    search = Search(sessions=2)
    counting = asyncio.create_task(stats(), name="stats")
    # Two visitors look at a page or two and close the browser.
    await asyncio.create_task(visit(search, "alice", "socks", 1), name="visit:alice")
    await asyncio.create_task(visit(search, "bob", "hats", 2), name="visit:bob")
    third = asyncio.create_task(visit(search, "carol", "gloves", 1), name="visit:carol")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await third
    counting.cancel()


if __name__ == "__main__":
    asyncio.run(main())
