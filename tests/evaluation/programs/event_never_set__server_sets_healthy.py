"""A worker waits to be resumed; only a request to the program's control server does that."""

import asyncio

EXPECT = {"healthy": True, "like": "event_never_set"}


class Worker:
    def __init__(self):
        self.running = asyncio.Event()
        self.steps = 0

    async def run(self):
        while True:
            await self.running.wait()
            self.steps += 1
            await asyncio.sleep(0.1)

    async def control(self, reader, writer):
        command = await reader.readline()
        if command == b"resume\n":
            self.running.set()
        elif command == b"pause\n":
            self.running.clear()
        writer.close()


async def main():
    worker = Worker()
    server = await asyncio.start_server(worker.control, "127.0.0.1", 0)
    task = asyncio.create_task(worker.run(), name="worker")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    async with server:
        await task


if __name__ == "__main__":
    asyncio.run(main())
