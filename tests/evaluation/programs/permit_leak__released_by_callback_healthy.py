"""The dispatcher takes a permit and the finished upload's callback gives it back; uploads are slow."""

import asyncio

EXPECT = {"healthy": True, "like": "permit_leak"}


class Dispatcher:
    def __init__(self, limit):
        self._permits = asyncio.Semaphore(limit)
        self._uploads = set()

    def _finished(self, task):
        self._uploads.discard(task)
        self._permits.release()

    async def upload(self, number):
        await asyncio.sleep(4)
        return number

    async def run(self):
        number = 0
        while True:
            await self._permits.acquire()
            number += 1
            task = asyncio.create_task(self.upload(number), name=f"upload:{number}")
            self._uploads.add(task)
            task.add_done_callback(self._finished)


async def main():
    dispatcher = Dispatcher(3)
    running = asyncio.create_task(dispatcher.run(), name="dispatcher")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(main())
