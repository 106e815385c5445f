"""Programs that dump themselves: ``dump_child.py SCENARIO KIND``; prints JSON."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import signal
import sys
import threading
import time

import asyncconsole

LOCKS = {"alice": asyncio.Lock(), "bob": asyncio.Lock()}


async def transfer(source, target, arrived):
    async with LOCKS[source]:
        arrived.append(source)
        while len(arrived) < 2:
            await asyncio.sleep(0)
        async with LOCKS[target]:
            pass


def spawn(coro, name):
    return asyncio.get_running_loop().create_task(coro, name=name)


async def deadlock():
    """Two tasks that wait for each other."""
    arrived = []
    tasks = [
        spawn(transfer("alice", "bob", arrived), "a→b"),
        spawn(transfer("bob", "alice", arrived), "b→a\x1b[31m\udcff"),
    ]
    while not all(lock._waiters for lock in LOCKS.values()):
        await asyncio.sleep(0.01)
    return tasks


async def end(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def dumped():
    out = io.StringIO()
    asyncconsole.dump(out)
    return out.getvalue()


async def inside():
    """In the loop's own thread, and in another one."""
    tasks = await deadlock()
    hooks = sys.get_asyncgen_hooks()
    here = dumped()
    assert sys.get_asyncgen_hooks() == hooks
    there = await asyncio.to_thread(dumped)
    await end(tasks)
    return {"here": here, "there": there}


async def standing():
    """From another thread while the loop is blocked."""
    done, seen = threading.Event(), {}

    def other():
        seen["text"] = dumped()
        seen["blocked"] = not done.is_set()
        done.set()

    def hold_up():
        done.wait(20)

    thread = threading.Thread(target=other)
    thread.start()
    hold_up()
    thread.join()
    return seen


async def watched():
    """With a console, whose probe knows of a stall."""
    with asyncconsole.start(port=0, unix_socket=False, stall_threshold=0.1) as console:
        await asyncio.sleep(0.2)  # it has been looked at
        while not any(stall.call == "time.sleep" for stall in console._target.stalls()):
            time.sleep(0.3)
            await asyncio.sleep(0.05)
        return {"text": await asyncio.to_thread(dumped)}


async def many():
    """More tasks and places than are shown."""
    space = {}
    for number in range(300):
        exec(f"async def wait_{number}(event):\n    await event.wait()\n", space)
    event = asyncio.Event()
    tasks = [spawn(space[f"wait_{number % 300}"](event), f"t{number}") for number in range(1500)]
    await asyncio.sleep(0)
    text = await asyncio.to_thread(dumped)
    event.set()
    await asyncio.wait(tasks)
    return {"text": text}


async def odd_files():
    class Narrow(io.StringIO):
        encoding = "ascii"

    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

    class Both:
        pieces = 0

        def write(self, text):
            self.pieces += 1

    tasks = await deadlock()
    narrow = Narrow()
    asyncconsole.dump(narrow)
    narrow.getvalue().encode("ascii")
    both = Both()
    asyncconsole.dump(both)
    try:
        asyncconsole.dump(Full())
        raised = ""
    except OSError as error:
        raised = str(error)
    sys.stderr, stderr = io.StringIO(), sys.stderr
    try:
        asyncconsole.dump()
        usual = sys.stderr.getvalue()
        sys.stderr = None
        asyncconsole.dump()
    finally:
        sys.stderr = stderr
    await end(tasks)
    return {"narrow": narrow.getvalue(), "raised": raised, "usual": usual, "pieces": both.pieces}


def without_a_loop():
    return {"text": dumped()}


def main(scenario, kind):
    signal.alarm(90)
    logging.getLogger("asyncconsole.stalls").propagate = False  # not on stderr
    logging.getLogger("asyncconsole.stalls").addHandler(logging.NullHandler())
    function = globals()[scenario]
    if scenario == "without_a_loop":
        seen = function()
    else:
        if kind == "uvloop":
            import uvloop

            loop = uvloop.new_event_loop()
        else:
            loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        seen = loop.run_until_complete(function())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
