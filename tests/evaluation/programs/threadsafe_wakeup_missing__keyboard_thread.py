"""A thread reads the keyboard and sets the asyncio.Event that ends the program."""

import asyncio
import threading
import time

EXPECT = {
    "kind": "threadsafe_wakeup_missing",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["console:answers"],
    "cause": [],
    "bystanders": [],
    "report": "python/cpython#122938",
}


class Console:
    def __init__(self):
        self.closing = asyncio.Event()
        self.given = []

    def read_keys(self):
        """Runs in the thread `keyboard`."""
        time.sleep(0.5)
        self.given.append("q")
        self.closing.set()
        time.sleep(0.2)
        print("READY", flush=True)
        threading.Event().wait()

    async def run(self):
        await self.closing.wait()
        return self.given


async def main():
    console = Console()
    threading.Thread(target=console.read_keys, name="keyboard", daemon=True).start()
    print(await asyncio.create_task(console.run(), name="console:answers"), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
