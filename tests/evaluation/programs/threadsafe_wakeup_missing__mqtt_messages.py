"""An MQTT client's network thread puts messages into an asyncio.Queue directly."""

import asyncio
import threading
import time

EXPECT = {
    "kind": "threadsafe_wakeup_missing",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["on-message"],
    "cause": [],
    "bystanders": [],
    "report": "agronholm/apscheduler#437",
}


class MqttClient:
    def __init__(self, on_message):
        self.on_message = on_message

    def loop_start(self):
        threading.Thread(target=self.network, name="paho-network", daemon=True).start()

    def network(self):
        time.sleep(0.4)
        self.on_message("garden/moisture", b"31")
        time.sleep(0.3)
        print("READY", flush=True)
        threading.Event().wait()  # no further message comes tonight


class Garden:
    def __init__(self):
        self.messages = asyncio.Queue()
        self.moisture = {}
        self.client = MqttClient(self.received)

    def received(self, topic, payload):
        self.messages.put_nowait((topic, payload))

    async def consume(self):
        while True:
            topic, payload = await self.messages.get()
            self.moisture[topic] = int(payload)
            print("moisture", self.moisture, flush=True)


async def main():
    garden = Garden()
    garden.client.loop_start()
    await asyncio.create_task(garden.consume(), name="on-message")


if __name__ == "__main__":
    asyncio.run(main())
