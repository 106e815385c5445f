"""A helper thread is joined on the loop; it needs a few milliseconds, and nothing of the loop."""

import asyncio
import threading

EXPECT = {"healthy": True, "like": "nested_run"}


async def checksum(results):
    await asyncio.sleep(0.005)
    results.append(1)
    del results[:-5]


def run_nested(coroutine):
    thread = threading.Thread(target=asyncio.run, args=(coroutine,), name="nested-run")
    thread.start()
    thread.join()


async def verify(results):
    while True:
        run_nested(checksum(results))
        await asyncio.sleep(0.1)


async def main():
    verifying = asyncio.create_task(verify([]), name="verify")
    await asyncio.sleep(0.6)
    print("READY", flush=True)
    await verifying


if __name__ == "__main__":
    asyncio.run(main())
