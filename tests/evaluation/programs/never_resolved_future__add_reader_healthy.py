"""A reader callback of a file descriptor resolves the future that a task waits for, line by line."""

import asyncio
import os

EXPECT = {"healthy": True, "like": "never_resolved_future"}


class Lines:
    """Lines from a descriptor, as a device driver would read them."""

    def __init__(self, fd):
        self._fd = fd
        self._waiter = None
        asyncio.get_running_loop().add_reader(fd, self._readable)

    def _readable(self):
        data = os.read(self._fd, 1024)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(data)

    async def next(self):
        self._waiter = asyncio.get_running_loop().create_future()
        return await self._waiter


async def log_keys(fd):
    lines = Lines(fd)
    while await lines.next():
        pass


async def main():
    receiving, sending = os.pipe()
    os.set_blocking(receiving, False)
    keys = asyncio.create_task(log_keys(receiving), name="keyboard")
    await asyncio.sleep(0.1)
    os.write(sending, b"a key\n")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await keys


if __name__ == "__main__":
    asyncio.run(main())
