"""A rate limiter's permits come back by timers, long after the calls that took them have ended."""

import asyncio

EXPECT = {"healthy": True, "like": "permit_leak"}


class RateLimiter:
    def __init__(self, calls, seconds):
        self._permits = asyncio.Semaphore(calls)
        self._seconds = seconds

    async def wait(self):
        await self._permits.acquire()
        asyncio.get_running_loop().call_later(self._seconds, self._permits.release)


async def call_api(limiter, number):
    await limiter.wait()
    await asyncio.sleep(0.02)
    return number


async def main():
    limiter = RateLimiter(calls=5, seconds=7)
    calls = [asyncio.create_task(call_api(limiter, n), name=f"api:{n}") for n in range(60)]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*calls)


if __name__ == "__main__":
    asyncio.run(main())
