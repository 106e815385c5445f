"""A connection catches its cancellation, says goodbye for two seconds and then really ends."""

import asyncio

EXPECT = {"healthy": True, "like": "cancel_swallowed"}


class Connection:
    def __init__(self, number):
        self.number = number
        self.log = []

    async def goodbye(self):
        for step in ("flush", "quit", "wait", "close"):
            await asyncio.sleep(0.5)
            self.log.append(step)

    async def serve(self):
        try:
            while True:
                await asyncio.sleep(0.2)
                self.log.append("ping")
        except asyncio.CancelledError:
            await self.goodbye()
            raise


async def rotate():
    number = 0
    while True:
        number += 1
        connection = asyncio.create_task(Connection(number).serve(), name=f"connection:{number}")
        await asyncio.sleep(0.5)
        connection.cancel()
        await asyncio.wait([connection])


async def main():
    rotation = asyncio.create_task(rotate(), name="rotate")
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    await rotation


if __name__ == "__main__":
    asyncio.run(main())
