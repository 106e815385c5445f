"""Flows run on one loop and report on another; each waits for the other under a lock."""

import asyncio
import threading

EXPECT = {
    "kind": "cross_loop",
    "also": ["lock_task_cycle", "lock_future_cycle", "lock_cycle"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["flow:etl"],
    "cause": ["state_lock"],
    "bystanders": ["heartbeat"],
    "report": "PrefectHQ/prefect#7897",
}


class Runner:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.state_lock = asyncio.Lock()
        self.states = {}
        self.reports = asyncio.new_event_loop()
        threading.Thread(target=self.reports.run_forever, name="reports", daemon=True).start()

    async def set_state(self, flow, state):
        async with self.state_lock:
            self.states[flow] = state

    async def report(self, flow, state):
        """Runs on the loop `reports`."""
        saving = asyncio.run_coroutine_threadsafe(self.set_state(flow, state), self.loop)
        await asyncio.wrap_future(saving)

    async def finish(self, flow):
        async with self.state_lock:
            reporting = asyncio.run_coroutine_threadsafe(self.report(flow, "done"), self.reports)
            await asyncio.wrap_future(reporting)


async def heartbeat():
    while True:
        await asyncio.sleep(0.3)


async def main():
    runner = Runner()
    beating = asyncio.create_task(heartbeat(), name="heartbeat")
    flow = asyncio.create_task(runner.finish("etl"), name="flow:etl")
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await flow
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
