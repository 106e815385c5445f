"""Pages keep their permit while they wait for the pages that they link to, which need permits too."""

import asyncio

EXPECT = {
    "kind": "semaphore_nested",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["page:/", "page:/docs"],
    "cause": ["gate"],
    "bystanders": ["stats"],
    "report": "can1357/oh-my-pi#3749",
    "tracked": False,
}

LINKS = {
    "/": ["/docs", "/blog", "/about"],
    "/docs": ["/docs/install", "/docs/api"],
    "/blog": ["/blog/1"],
}


class Crawler:
    def __init__(self, limit):
        self.gate = asyncio.Semaphore(limit)
        self.seen = set()

    async def visit(self, path):
        async with self.gate:
            await asyncio.sleep(0.02)  # downloads it
            self.seen.add(path)
            links = [link for link in LINKS.get(path, ()) if link not in self.seen]
            children = [
                asyncio.create_task(self.visit(link), name=f"page:{link}") for link in links
            ]
            await asyncio.gather(*children)


async def show_stats(crawler):
    while True:
        await asyncio.sleep(0.1)
        len(crawler.seen)


async def main():
    crawler = Crawler(limit=2)
    stats = asyncio.create_task(show_stats(crawler), name="stats")
    root = asyncio.create_task(crawler.visit("/"), name="page:/")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await root
    stats.cancel()


if __name__ == "__main__":
    asyncio.run(main())
