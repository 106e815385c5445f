"""A callback that used to come from a thread now comes on the loop, and still asks for result()."""

import asyncio

EXPECT = {
    "kind": "threadsafe_result_on_loop",
    "also": [],
    "verdict": ["deadlock", "stall"],
    "stuck": ["message-loop"],
    "cause": ["publish"],
    "bystanders": ["keepalive"],
    "report": "empicano/aiomqtt#174",
}


class Client:
    def __init__(self, on_message):
        self.on_message = on_message
        self.outbox = []

    async def publish(self, topic, payload):
        await asyncio.sleep(0.01)
        self.outbox.append((topic, payload))

    async def message_loop(self):
        await asyncio.sleep(0.3)
        self.on_message("lamp/set", "on")


class Bridge:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.client = Client(self.on_message)

    def on_message(self, topic, payload):
        done = asyncio.run_coroutine_threadsafe(
            self.client.publish("lamp/state", payload), self.loop
        )
        print("READY", flush=True)
        done.result()


async def keepalive():
    while True:
        await asyncio.sleep(0.2)


async def main():
    bridge = Bridge()
    pinging = asyncio.create_task(keepalive(), name="keepalive")
    await asyncio.create_task(bridge.client.message_loop(), name="message-loop")
    pinging.cancel()


if __name__ == "__main__":
    asyncio.run(main())
