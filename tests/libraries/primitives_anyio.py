"""anyio's primitives, waited for in every way. Usage: primitives_anyio.py"""

from __future__ import annotations

import asyncio

import anyio

from tests.libraries.stage import end, leave, look, run, spawn

EARLY = anyio.Lock()  # made before the loop runs: an adapter
SIGNAL = anyio.Event()
STORE = None


async def turns():
    for _ in range(30):
        await asyncio.sleep(0)


async def hold(lock):
    async with lock:
        await anyio.sleep_forever()


async def explicit(lock):
    await lock.acquire()
    try:
        await anyio.sleep_forever()
    finally:
        lock.release()


class Store:
    def __init__(self):
        self.lock = anyio.Lock()
        self.gate = anyio.Semaphore(2, max_value=2)
        self.limit = anyio.CapacityLimiter(2)
        self.changed = anyio.Condition()
        self.sender, self.receiver = anyio.create_memory_object_stream(1)
        self.jobs, self.workers = anyio.create_memory_object_stream(5)


async def explicitly(lock):
    await lock.acquire()


async def through_a_helper(lock):
    await explicitly(lock)  # which has ended: no frame shows it
    try:
        await anyio.sleep_forever()
    finally:
        lock.release()


async def take(lock):
    await lock.acquire()
    lock.release()


async def wait_changed(condition):
    async with condition:
        await condition.wait()


async def first_then_second(first, second, arrived):
    async with first:
        arrived.append(1)
        while len(arrived) < 2:
            await anyio.sleep(0)
        async with second:
            pass


async def bounded(first, second, arrived):
    with anyio.fail_after(1000):
        await first_then_second(first, second, arrived)


async def main():
    global STORE  # noqa: PLW0603 - names of globals are what is looked for
    STORE = store = Store()
    plan = [
        ("lock-holder", explicit(store.lock)),
        ("early-holder", hold(EARLY)),
        ("gate-1", hold(store.gate)),
        ("gate-2", hold(store.gate)),
        ("limit-1", hold(store.limit)),
        ("limit-2", through_a_helper(store.limit)),
        ("lock-waiter-1", hold(store.lock)),
        ("lock-waiter-2", take(store.lock)),
        ("early-waiter", hold(EARLY)),
        ("gate-waiter", hold(store.gate)),
        ("limit-waiter", hold(store.limit)),
        ("changed-waiter", wait_changed(store.changed)),
        ("signal-waiter", SIGNAL.wait()),
        ("sender-1", store.sender.send(1)),
        ("sender-2", store.sender.send(2)),
        ("sender-3", store.sender.send(3)),
        ("receiver", store.workers.receive()),
        ("changed-holder", explicit(store.changed)),
    ]
    for name, coro in plan:
        spawn(coro, name)
        await turns()
    await look("waits")
    keeper = type(store.lock) if hasattr(type(store.lock), "_owner_task") else store.lock
    slot = keeper._owner_task  # a slot since anyio 4.10 or so
    del keeper._owner_task
    await look("unknown_version")
    keeper._owner_task = slot
    await end()

    for scenario, way in (("crossed", first_then_second), ("bounded", bounded)):
        locks = [anyio.Lock(), anyio.Lock()]
        arrived = []
        spawn(way(*locks, arrived), "a")
        spawn(way(*reversed(locks), arrived), "b")
        await turns()
        await look(scenario)
        await end()
    leave()


run(main())
