"""The task that writes to the inverter dies with the connection, and the queue before it fills up."""

import asyncio

EXPECT = {
    "kind": "queue_full_no_consumer",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["refresh-plant"],
    "cause": ["tx-writer", "ConnectionResetError"],
    "bystanders": ["mqtt"],
    "report": "dewet22/givenergy-modbus#54",
    "tracked": False,
}


class Inverter:
    def __init__(self):
        self.tx_queue = asyncio.Queue(maxsize=4)
        self.frames = 0
        self._writer = asyncio.create_task(self._write(), name="tx-writer")

    async def _write(self):
        while True:
            frame = await self.tx_queue.get()
            await asyncio.sleep(0.01)
            self.frames += 1
            if self.frames == 3:
                raise ConnectionResetError(f"while sending {frame}")

    async def refresh(self):
        for register in range(0, 1200, 60):
            await self.tx_queue.put(f"read {register}..{register + 59}")


async def refresh_plant(inverter):
    while True:
        await inverter.refresh()
        await asyncio.sleep(0.1)


async def publish():
    while True:
        await asyncio.sleep(0.1)


async def main():
    inverter = Inverter()
    tasks = [
        asyncio.create_task(publish(), name="mqtt"),
        asyncio.create_task(refresh_plant(inverter), name="refresh-plant"),
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
