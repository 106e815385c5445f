"""A loader with its own loop tells the server's loop through call_soon_threadsafe."""

import asyncio
import threading

EXPECT = {"healthy": True, "like": "cross_loop"}


class Server:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.changed = asyncio.Event()
        self.version = 0

    async def update(self):
        while True:
            await asyncio.sleep(0.6)
            self.loop.call_soon_threadsafe(self.changed.set)

    async def serve(self):
        while True:
            await self.changed.wait()
            self.changed.clear()
            self.version += 1


async def main():
    server = Server()
    threading.Thread(
        target=asyncio.run, args=(server.update(),), name="updates", daemon=True
    ).start()
    serving = asyncio.create_task(server.serve(), name="serve")
    await asyncio.sleep(1)
    print("READY", flush=True)
    await serving


if __name__ == "__main__":
    asyncio.run(main())
