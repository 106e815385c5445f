"""A flusher shields its work again after each cancellation, and the work never ends."""

import asyncio

EXPECT = {
    "kind": "shield_misuse",
    "also": ["cancel_swallowed"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["flush-on-exit"],
    "cause": ["flush-inner"],
    "bystanders": ["scrape"],
    "report": "home-assistant/core#56498",
}


class Sink:
    def __init__(self):
        self.lines = []
        self.acknowledged = asyncio.Event()
        self.online = True

    async def flush(self):
        self.acknowledged.clear()
        if self.online:
            self.lines.clear()
            self.acknowledged.set()
        await self.acknowledged.wait()


async def flush_on_exit(sink):
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        flushing = asyncio.ensure_future(sink.flush())
        if hasattr(flushing, "set_name"):
            flushing.set_name("flush-inner")
        while not flushing.done():
            try:
                await asyncio.shield(flushing)
            except asyncio.CancelledError:
                continue  # not before everything is on disk
        raise


async def scrape(sink):
    while True:
        await asyncio.sleep(0.25)
        sink.lines.append("up 1")
        del sink.lines[:-100]


async def stop(task):
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.3)


async def main():
    sink = Sink()
    scraping = asyncio.create_task(scrape(sink), name="scrape")
    flusher = asyncio.create_task(flush_on_exit(sink), name="flush-on-exit")
    await asyncio.sleep(0.3)
    sink.online = False  # the log server went away first
    stopping = asyncio.create_task(stop(flusher), name="stop")
    await asyncio.sleep(1.2)
    print("READY", flush=True)
    await stopping
    scraping.cancel()


if __name__ == "__main__":
    asyncio.run(main())
