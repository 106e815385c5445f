"""Programs with the console on, for tests that talk to it. Prints the port as its first line.

Usage: python programs.py NAME [LOOP]
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import socket
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


REQUEST = contextvars.ContextVar("REQUEST", default="none")
RESORTS = {"gate": asyncio.Semaphore(1), "full": asyncio.BoundedSemaphore(2)}
REPLY = {}


def python_tasks(loop):
    """Tasks of the pure Python class, from now on."""
    # From 3.14 the C function knows only C tasks, and `timeout` would see no task.
    asyncio.tasks.current_task = getattr(
        asyncio.tasks, "_py_current_task", asyncio.tasks.current_task
    )
    loop.set_task_factory(lambda loop, coro, **more: asyncio.tasks._PyTask(coro, loop=loop, **more))


async def resorts():
    """Tasks to throw into, to wake, and whose locks to give back."""
    if "python" in sys.argv[2:]:
        python_tasks(asyncio.get_running_loop())
    loop = asyncio.get_running_loop()
    REPLY["once"] = loop.create_future()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    condition = REPLY["condition"] = asyncio.Condition()

    async def in_context():
        token = REQUEST.set("mine")
        try:
            await asyncio.Event().wait()
        except LookupError as error:
            print("caught", error, REQUEST.get(), flush=True)
        REQUEST.reset(token)
        await asyncio.Event().wait()

    async def timed():
        await asyncio.wait_for(asyncio.Event().wait(), 1000)

    async def reads():
        await loop.sock_recv(ours, 10)

    async def gets():
        await asyncio.Queue().get()

    async def family():
        await asyncio.gather(spawn(gets(), "child"))

    async def asks(number):
        print(number, "got", await REPLY["once"], flush=True)

    async def sleeps():
        print("slept", await asyncio.sleep(1000, "well"), flush=True)

    async def holds():
        async with condition, RESORTS["gate"]:
            await asyncio.Event().wait()

    async def queues(lock, what):
        async with lock:
            print(what, "is mine", flush=True)

    async def waits_for_condition():
        async with condition:
            await condition.wait()

    async def awaits():
        await asyncio.shield(tasks[0])

    waiter = spawn(waits_for_condition(), "returns")
    await asyncio.sleep(0)
    tasks = [spawn(holds(), "holds")]
    await asyncio.sleep(0)
    async with LOCKS["alice"]:
        pass
    tasks += [
        spawn(in_context(), "in-context"),
        spawn(timed(), "timed"),
        spawn(reads(), "reads"),
        spawn(family(), "family"),
        spawn(asks(1), "asks-1"),
        spawn(asks(2), "asks-2"),
        spawn(sleeps(), "sleeps"),
        spawn(queues(RESORTS["gate"], "the gate"), "queues"),
        spawn(awaits(), "awaits"),
    ]
    # Woken while another has the condition's lock: it must get that before it may fail.
    for future in condition._waiters:
        future.set_result(False)
    await asyncio.wait([*tasks, waiter])
    await asyncio.Event().wait()


async def rings():
    """Await cycles of three, through gather, through wait, and one that shield cuts."""
    tasks = {}

    async def follow(other, how):
        while other not in tasks:
            await asyncio.sleep(0)
        await how(tasks[other])

    async def plain(task):
        await task

    async def together(task):
        await asyncio.gather(task, asyncio.sleep(1000))

    async def shielded(task):
        await asyncio.shield(task)

    async def either(task):
        await asyncio.wait([task])

    def ring(*hows):
        name = "-".join(how.__name__ for how in hows)
        for number, how in enumerate(hows):
            following = f"{name}:{(number + 1) % len(hows)}"
            tasks[f"{name}:{number}"] = spawn(follow(following, how), f"{name}:{number}")

    ring(plain, plain, plain)
    ring(plain, together)
    ring(plain, shielded)
    ring(plain, either)
    ring(plain)
    await asyncio.wait(tasks.values())
    await asyncio.Event().wait()


async def stalled():
    """A task that waits while another one blocks the loop, and a lock that is held."""

    async def holds():
        async with LOCKS["alice"]:
            await asyncio.Event().wait()

    async def nightly():
        await asyncio.sleep(0.1)
        read_ledger()

    await asyncio.gather(spawn(holds(), "holds"), spawn(nightly(), "nightly"))


async def grouped():
    """A task that waits at the end of its TaskGroup."""

    async def child():
        await asyncio.sleep(1000)

    async def parent():
        async with asyncio.TaskGroup() as group:
            group.create_task(child(), name="child")

    await asyncio.wait([spawn(parent(), "parent")])
    await asyncio.Event().wait()


async def changing():
    """Tasks that move, end and appear; two that don't, and idle ones."""

    async def ends():
        await asyncio.sleep(0.3)

    async def appears():
        while True:
            await asyncio.sleep(0.1)
            await spawn(ends(), "short")

    async def reads(reader):
        await reader.read()

    async def waits_for_lock():
        async with LOCKS["alice"]:
            pass

    ours, _theirs = socket.socketpair()
    reader, _writer = await asyncio.open_connection(sock=ours)
    await LOCKS["alice"].acquire()
    tasks = [
        spawn(heartbeat(), "heartbeat"),
        spawn(appears(), "appears"),
        spawn(reads(reader), "reads"),
        spawn(asyncio.sleep(1000), "sleeps"),
        spawn(waits_for_lock(), "stuck:1"),
        spawn(waits_for_lock(), "stuck:2"),
    ]
    idle = spawn(asyncio.wait(tasks[:4]), "idle")
    await asyncio.wait([idle, *tasks])


def main():
    name = sys.argv[1]
    kind = sys.argv[2] if len(sys.argv) > 2 else "asyncio"
    read_only = "read-only" in sys.argv[2:]
    console = asyncconsole.start(port=0, stall_threshold=0.2, read_only=read_only)
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
