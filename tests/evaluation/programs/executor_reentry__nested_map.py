"""Jobs of a pool of two split their work, hand the halves to the same pool and wait for them."""

import asyncio
import concurrent.futures
import time

EXPECT = {
    "kind": "executor_reentry",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["import:june", "import:july"],
    "cause": ["importer"],
    "bystanders": ["progress"],
    "report": "fastapi/fastapi#3205",
}


class Importer:
    def __init__(self):
        self.pool = concurrent.futures.ThreadPoolExecutor(2, thread_name_prefix="importer")
        self.lines = 0

    def parse(self, part):
        time.sleep(0.05)
        return len(part)

    def load(self, text):
        time.sleep(0.2)
        middle = len(text) // 2
        halves = [self.pool.submit(self.parse, part) for part in (text[:middle], text[middle:])]
        return sum(half.result() for half in halves)

    async def run(self, text):
        self.lines += await asyncio.get_running_loop().run_in_executor(self.pool, self.load, text)


async def progress(importer):
    while True:
        await asyncio.sleep(0.25)
        importer.lines += 0


async def main():
    importer = Importer()
    showing = asyncio.create_task(progress(importer), name="progress")
    months = [
        asyncio.create_task(importer.run(f"rows of {month}"), name=f"import:{month}")
        for month in ("june", "july")
    ]
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    await asyncio.gather(*months)
    showing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
