"""A scope delivers a cancellation again in every turn of the loop, to a task that is done."""

import asyncio

EXPECT = {
    "kind": "busy_callbacks",
    "also": [],
    "verdict": ["stall", "suspect"],
    "stuck": [],
    "cause": ["_deliver_cancellation"],
    "bystanders": ["heartbeat"],
    "report": "agronholm/anyio#1111",
}


class Scope:
    def __init__(self):
        self.tasks = set()
        self.left = asyncio.Event()

    def cancel(self):
        self._deliver_cancellation()

    def _deliver_cancellation(self):
        for task in self.tasks:
            task.cancel()
        if self.tasks:  # done ones are still in it: nobody discards them
            asyncio.get_running_loop().call_soon(self._deliver_cancellation)
        else:
            self.left.set()


async def serve(seconds):
    await asyncio.sleep(seconds)


async def heartbeat():
    while True:
        await asyncio.sleep(0.2)


async def stop(scope):
    scope.cancel()
    await scope.left.wait()


async def main():
    scope = Scope()
    beating = asyncio.create_task(heartbeat(), name="heartbeat")
    scope.tasks.add(asyncio.create_task(serve(3600), name="connection"))
    await asyncio.sleep(0.2)
    stopping = asyncio.create_task(stop(scope), name="scope-exit")
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await stopping
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
