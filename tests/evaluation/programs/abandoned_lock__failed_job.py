"""A job takes the state's lock by hand and fails before it gives it back."""

import asyncio

EXPECT = {
    "kind": "abandoned_lock",
    "also": ["permit_leak"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["job:2", "job:3"],
    "cause": ["job:1", "STATE_LOCK"],
    "bystanders": ["watchdog"],
    "report": "Fatal1ty/aioapns#42",
    "tracked": False,
}

STATE_LOCK = asyncio.Lock()
state = {"runs": 0}


async def load_rates(source):
    await asyncio.sleep(0.01)
    if source == "stale":
        raise ValueError("rates are older than a day")
    return {"EUR": 1.0}


async def job(source):
    await STATE_LOCK.acquire()
    rates = await load_rates(source)
    state["runs"] += 1
    STATE_LOCK.release()
    return rates


async def watchdog():
    while True:
        await asyncio.sleep(0.1)


async def main():
    dog = asyncio.create_task(watchdog(), name="watchdog")
    jobs = [asyncio.create_task(job("stale"), name="job:1")]
    await asyncio.sleep(0.05)
    jobs += [asyncio.create_task(job("fresh"), name=f"job:{number}") for number in (2, 3)]
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(*jobs, return_exceptions=True)
    dog.cancel()


if __name__ == "__main__":
    asyncio.run(main())
