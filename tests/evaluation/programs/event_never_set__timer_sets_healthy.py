"""Jobs wait for a maintenance window to end, which a timer of the loop says."""

import asyncio

EXPECT = {"healthy": True, "like": "event_never_set"}


class Gate:
    def __init__(self):
        self.open = asyncio.Event()

    def close_for(self, seconds):
        self.open.clear()
        asyncio.get_running_loop().call_later(seconds, self.open.set)


async def job(gate, number):
    await gate.open.wait()
    return number


async def main():
    gate = Gate()
    gate.close_for(60)
    jobs = [asyncio.create_task(job(gate, number), name=f"job:{number}") for number in range(3)]
    del gate
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(*jobs)


if __name__ == "__main__":
    asyncio.run(main())
