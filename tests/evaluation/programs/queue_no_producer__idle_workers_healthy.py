"""Workers of a pool are idle: a handler of the program's server would give them jobs."""

import asyncio

EXPECT = {"healthy": True, "like": "queue_no_producer"}


class MailQueue:
    def __init__(self, size):
        self._jobs = asyncio.Queue()
        self._workers = [
            asyncio.create_task(self._work(), name=f"mail-worker-{number}")
            for number in range(size)
        ]

    async def _work(self):
        while True:
            await self._jobs.get()
            await asyncio.sleep(0.1)
            self._jobs.task_done()

    async def handle(self, reader, writer):
        await self._jobs.put(await reader.readline())
        writer.close()


async def main():
    mails = MailQueue(4)
    server = await asyncio.start_server(mails.handle, "127.0.0.1", 0)
    async with server:
        asyncio.get_running_loop().call_later(0.3, lambda: print("READY", flush=True))
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
