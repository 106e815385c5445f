"""Two hundred downloads wait for four permits that are always taken, and always given back."""

import asyncio

EXPECT = {"healthy": True, "like": "permit_leak"}

download_slots = asyncio.Semaphore(4)


async def download(number):
    await download_slots.acquire()
    try:
        await asyncio.sleep(0.6 + number % 3 / 10)
    finally:
        download_slots.release()
    return number


async def main():
    downloads = [
        asyncio.create_task(download(number), name=f"download:{number}") for number in range(200)
    ]
    await asyncio.sleep(1)
    print("READY", flush=True)
    for done in asyncio.as_completed(downloads):
        await done


if __name__ == "__main__":
    asyncio.run(main())
