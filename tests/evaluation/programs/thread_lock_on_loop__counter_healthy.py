"""A worker thread and the loop share counters under a threading.Lock, never for long."""

import asyncio
import threading
import time

EXPECT = {"healthy": True, "like": "thread_lock_on_loop"}


class Counters:
    def __init__(self):
        self.lock = threading.Lock()
        self.values = {}

    def add(self, name):
        with self.lock:
            self.values[name] = self.values.get(name, 0) + 1

    def flush_for_ever(self):
        while True:
            with self.lock:
                time.sleep(0.02)
                self.values.clear()
            time.sleep(0.02)


async def handle(counters, name):
    while True:
        counters.add(name)
        await asyncio.sleep(0.05)


async def main():
    counters = Counters()
    threading.Thread(target=counters.flush_for_ever, name="flusher", daemon=True).start()
    handlers = [
        asyncio.create_task(handle(counters, name), name=f"handle:{name}") for name in "abc"
    ]
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await asyncio.gather(*handlers)


if __name__ == "__main__":
    asyncio.run(main())
