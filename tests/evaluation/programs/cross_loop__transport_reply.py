"""Requests are awaited on one loop; the transport's loop, in its own thread, sets the replies."""

import asyncio
import threading

EXPECT = {
    "kind": "cross_loop",
    "also": ["threadsafe_wakeup_missing"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["call:list_models"],
    "cause": [],
    "bystanders": ["transport-ping"],
    "report": "griptape-ai/griptape-nodes-engine#5466",
}


class Transport:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.replies = {}
        threading.Thread(target=self.run, name="transport", daemon=True).start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.ping = self.loop.create_task(self.pinging(), name="transport-ping")
        self.loop.run_forever()

    async def pinging(self):
        while True:
            await asyncio.sleep(0.3)

    async def deliver(self, method):
        await asyncio.sleep(0.4)
        self.replies.pop(method).set_result(["small", "large"])
        await asyncio.sleep(0.2)
        print("READY", flush=True)

    async def call(self, method):
        reply = self.replies[method] = asyncio.get_running_loop().create_future()
        asyncio.run_coroutine_threadsafe(self.deliver(method), self.loop)
        return await reply


async def main():
    transport = Transport()
    call = asyncio.create_task(transport.call("list_models"), name="call:list_models")
    print(await call, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
