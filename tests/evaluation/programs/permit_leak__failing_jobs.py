"""Jobs take a worker slot and give it back on their last line, which a failing job does not reach."""

import asyncio
import json
import logging

EXPECT = {
    "kind": "permit_leak",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["job:7"],
    "cause": ["JSONDecodeError"],
    "bystanders": ["beat", "broker", "sqs-poll"],
    "report": "celery/celery#3434",
    "tracked": False,
}

log = logging.getLogger("jobs")
log.addHandler(logging.NullHandler())
log.propagate = False
worker_slots = asyncio.Semaphore(3)


async def run_job(number, payload):
    await worker_slots.acquire()
    await asyncio.sleep(0.01)
    amount = json.loads(payload)["amount"]
    worker_slots.release()
    return number, amount


def job_done(task):
    if not task.cancelled() and task.exception() is not None:
        log.error("job failed", exc_info=task.exception())


async def broker(inbox):
    number = 0
    running = set()
    while True:
        payload = await inbox.get()
        number += 1
        task = asyncio.create_task(run_job(number, payload), name=f"job:{number}")
        running.add(task)
        task.add_done_callback(running.discard)
        task.add_done_callback(job_done)


async def poll(source, inbox):
    while True:
        if source:
            await inbox.put(source.pop(0))
        await asyncio.sleep(0.03)


async def beat():
    while True:
        await asyncio.sleep(0.1)


async def main():
    inbox = asyncio.Queue()
    amounts = ['{"amount": 1}', "<html>", '{"amount": 3}', "", '{"amount": 5}', "oops"]
    running = [
        asyncio.create_task(beat(), name="beat"),
        asyncio.create_task(broker(inbox), name="broker"),
        asyncio.create_task(poll([*amounts, '{"amount": 7}'], inbox), name="sqs-poll"),
    ]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*running)


if __name__ == "__main__":
    asyncio.run(main())
