"""A thread asks the loop for something under its lock, while the loop waits for that lock."""

import asyncio
import threading

EXPECT = {
    "kind": "thread_lock_on_loop",
    "also": [],
    "verdict": ["deadlock", "stall"],
    "stuck": ["register:web-2"],
    "cause": ["discovery"],
    "bystanders": ["health"],
    "report": "apache/airflow#68377",
}


class Registry:
    def __init__(self, loop):
        self.loop = loop
        self.lock = threading.RLock()
        self.services = {}

    async def probe(self, name):
        await asyncio.sleep(0.1)
        return f"10.0.0.{len(name)}"

    def discover(self, name):
        """Runs in the thread `discovery`."""
        with self.lock:
            probing = asyncio.run_coroutine_threadsafe(self.probe(name), self.loop)
            self.services[name] = probing.result()

    async def register(self, name, address):
        await asyncio.sleep(0.05)
        print("READY", flush=True)
        with self.lock:
            self.services[name] = address


async def health():
    while True:
        await asyncio.sleep(0.3)


async def main():
    registry = Registry(asyncio.get_running_loop())
    checking = asyncio.create_task(health(), name="health")
    registering = asyncio.create_task(registry.register("web-2", "10.0.0.2"), name="register:web-2")
    threading.Thread(
        target=registry.discover, args=("web-1",), name="discovery", daemon=True
    ).start()
    await registering
    checking.cancel()


if __name__ == "__main__":
    asyncio.run(main())
