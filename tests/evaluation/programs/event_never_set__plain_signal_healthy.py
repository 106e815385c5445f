"""A handler set by `signal.signal` passes the stop event to the loop with call_soon_threadsafe."""

import asyncio
import signal

EXPECT = {"healthy": True, "like": "event_never_set"}


class Service:
    def __init__(self):
        self.stop_event = None
        self.loop = None

    def on_signal(self, number, frame):
        self.loop.call_soon_threadsafe(self.stop_event.set)

    async def run(self):
        self.loop = asyncio.get_running_loop()
        self.stop_event = asyncio.Event()
        signal.signal(signal.SIGTERM, self.on_signal)
        self.loop.call_later(0.3, lambda: print("READY", flush=True))
        await self.stop_event.wait()


if __name__ == "__main__":
    asyncio.run(Service().run())
