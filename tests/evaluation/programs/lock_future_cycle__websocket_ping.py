"""A caller keeps the write lock until its reply has come; the reader must first answer a ping."""

import asyncio

EXPECT = {
    "kind": "lock_future_cycle",
    "also": ["lock_task_cycle"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["call:get_balance", "ws-reader"],
    "cause": ["_write_lock"],
    "bystanders": ["ui", "wire"],
    "report": "aio-libs/aiokafka#335",
    "tracked": False,
}


class Wire:
    """The other end: pings before it replies."""

    def __init__(self):
        self.frames = asyncio.Queue()
        self.sent = []

    async def write(self, frame):
        await asyncio.sleep(0.01)
        self.sent.append(frame)

    async def serve(self):
        serial = 0
        while True:
            await asyncio.sleep(0.05)
            while serial < len(self.sent):
                if isinstance(self.sent[serial], int):
                    await self.frames.put(("ping", None))
                    await self.frames.put(("reply", self.sent[serial]))
                serial += 1


class Session:
    def __init__(self, wire):
        self._wire = wire
        self._write_lock = asyncio.Lock()
        self._replies = {}

    async def call(self, number):
        reply = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        async with self._write_lock:
            await self._wire.write(number)
            return await reply

    async def read(self):
        while True:
            kind, number = await self._wire.frames.get()
            if kind == "ping":
                async with self._write_lock:
                    await self._wire.write("pong")
            else:
                self._replies.pop(number).set_result("ok")


async def ui():
    while True:
        await asyncio.sleep(0.1)


async def main():
    wire = Wire()
    session = Session(wire)
    others = [
        asyncio.create_task(ui(), name="ui"),
        asyncio.create_task(wire.serve(), name="wire"),
        asyncio.create_task(session.read(), name="ws-reader"),
    ]
    calls = [asyncio.create_task(session.call(1), name="call:get_balance")]
    await asyncio.sleep(0.2)
    calls.append(asyncio.create_task(session.call(2), name="call:get_orders"))
    await asyncio.sleep(0.1)
    print("READY", flush=True)
    await asyncio.gather(*calls)
    for task in others:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
