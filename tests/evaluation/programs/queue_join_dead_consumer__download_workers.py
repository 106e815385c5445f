"""All workers of a downloader end with their first broken link, and `main` joins the queue."""

import asyncio

EXPECT = {
    "kind": "queue_join_dead_consumer",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["downloads"],
    "cause": ["worker-", "ConnectionResetError"],
    "bystanders": ["progress"],
    "report": "openai/openai-agents-python#4198",
    "tracked": False,
}


async def fetch(url):
    await asyncio.sleep(0.01)
    if url.endswith("broken"):
        raise ConnectionResetError(url)
    return url


async def worker(urls, done):
    while True:
        url = await urls.get()
        done.append(await fetch(url))
        urls.task_done()


async def download(addresses, done):
    urls = asyncio.Queue()
    for address in addresses:
        urls.put_nowait(address)
    workers = [asyncio.create_task(worker(urls, done), name=f"worker-{n}") for n in range(2)]
    await urls.join()
    for task in workers:
        task.cancel()


async def progress(done):
    while True:
        await asyncio.sleep(0.1)
        len(done)


async def main():
    done = []
    bar = asyncio.create_task(progress(done), name="progress")
    addresses = ["/1", "/2", "/3/broken", "/4", "/5", "/6/broken", "/7", "/8"]
    job = asyncio.create_task(download(addresses, done), name="downloads")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await job
    bar.cancel()


if __name__ == "__main__":
    asyncio.run(main())
