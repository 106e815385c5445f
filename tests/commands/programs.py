"""Programs with the console on, for tests that talk to it. Prints the port as its first line.

Usage: python programs.py NAME [LOOP]
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
import time

import asyncconsole

LOCKS = {"alice": asyncio.Lock(), "bob": asyncio.Lock()}


def spawn(coro, name):
    return asyncio.get_running_loop().create_task(coro, name=name)


async def transfer(source, target, arrived):
    async with LOCKS[source]:
        arrived.append(source)
        while len(arrived) < 2:
            await asyncio.sleep(0)
        async with LOCKS[target]:
            print("transferred", source, target, flush=True)


async def audit(arrived):
    while len(arrived) < 2:
        await asyncio.sleep(0)
    async with LOCKS["alice"]:
        print("audited", flush=True)
    await asyncio.Event().wait()


async def heartbeat():
    for beat in itertools.count(1):
        await asyncio.sleep(0.05)
        if beat == 80:
            print("80 beats", file=sys.stderr, flush=True)


async def bank():
    arrived = []
    tasks = [
        spawn(transfer("alice", "bob", arrived), "transfer:a→b"),
        spawn(transfer("bob", "alice", arrived), "transfer:b→a"),
        spawn(audit(arrived), "audit"),
        spawn(heartbeat(), "heartbeat"),
    ]
    await asyncio.gather(*tasks, return_exceptions=True)


async def healthy():
    queue = asyncio.Queue()

    async def worker():
        while True:
            await queue.get()

    async def feed():
        while True:
            await asyncio.sleep(0.05)
            queue.put_nowait(None)

    await asyncio.gather(spawn(worker(), "worker"), spawn(feed(), "feed"))


async def blocked_bank():
    async def nightly():
        await asyncio.sleep(0.3)
        read_ledger()

    await asyncio.gather(spawn(nightly(), "nightly"), bank())


def read_ledger():
    time.sleep(600)


async def ledger():
    async def nightly():
        await asyncio.sleep(0.1)
        read_ledger()

    await asyncio.gather(spawn(nightly(), "nightly"), spawn(heartbeat(), "heartbeat"))


async def awaits():
    """Tasks that take a cancellation in different ways."""
    tasks = {}

    async def follow(other):
        while other not in tasks:
            await asyncio.sleep(0)
        await tasks[other]

    async def stubborn():
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                print("caught", flush=True)

    async def slow_to_end():
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1000)

    async def returns():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            return 3

    async def parent():
        await asyncio.gather(spawn(child(), "child"))

    async def child():
        await asyncio.sleep(1000)

    tasks["x"] = spawn(follow("y"), "x")
    tasks["y"] = spawn(follow("x"), "y")
    names = {"stubborn": stubborn, "slow-to-end": slow_to_end, "returns": returns, "parent": parent}
    rest = [spawn(make(), name) for name, make in names.items()]
    rest += [spawn(child(), "twin"), spawn(child(), "twin")]
    await asyncio.wait([*tasks.values(), *rest])
    await asyncio.Event().wait()


async def crowd():
    gate = asyncio.Semaphore(2)

    async def fetch():
        async with gate:
            await asyncio.Event().wait()

    await asyncio.gather(*(spawn(fetch(), f"fetch:{n}") for n in range(50)))


async def two_loops():
    """A second loop in a thread of its own, with a deadlock of its own."""

    async def other():
        await spawn(own(), "other-loop's")

    async def own():
        lock = asyncio.Lock()
        async with lock:
            await lock.acquire()

    threading.Thread(target=lambda: asyncio.run(other()), name="second", daemon=True).start()
    await bank()


def main():
    name = sys.argv[1]
    kind = sys.argv[2] if len(sys.argv) > 2 else "asyncio"
    console = asyncconsole.start(port=0, stall_threshold=0.2)
    print(console.port, flush=True)
    if kind == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(globals()[name]())


if __name__ == "__main__":
    main()
