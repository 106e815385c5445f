"""Two loops in two threads share an asyncio.Lock: its release wakes the wrong thread's loop."""

import asyncio
import threading

EXPECT = {
    "kind": "cross_loop",
    "also": ["threadsafe_wakeup_missing"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["agent:write"],
    "cause": [],
    "bystanders": ["server-beat"],
    "report": "damianvtran/local-operator#1182",
}


class Store:
    def __init__(self):
        self.lock = asyncio.Lock()
        self.values = {}

    async def write(self, key, value, pause):
        async with self.lock:
            await asyncio.sleep(pause)
            self.values[key] = value


async def agent(store):
    await asyncio.create_task(store.write("b", 2, 0), name="agent:write")


def agent_thread(store, may_start):
    may_start.wait()
    asyncio.run(agent(store))


async def beat():
    while True:
        await asyncio.sleep(0.3)


async def server(store, may_start):
    beating = asyncio.create_task(beat(), name="server-beat")
    writing = asyncio.create_task(store.write("a", 1, 0.8), name="server:write")
    await asyncio.sleep(0.1)
    may_start.set()
    await writing
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await beating


if __name__ == "__main__":
    STORE, MAY_START = Store(), threading.Event()
    threading.Thread(
        target=agent_thread, args=(STORE, MAY_START), name="agent", daemon=True
    ).start()
    asyncio.run(server(STORE, MAY_START))
