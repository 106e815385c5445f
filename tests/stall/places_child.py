"""Loops in unusual places, with a console: ``places_child.py SCENARIO KIND``; prints JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import weakref

import asyncconsole

BLOCK = 0.6
THRESHOLD = 0.2


def new_loop(kind):
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def run(coro, kind):
    """What asyncio.run does, on a loop of that kind."""
    if sys.version_info >= (3, 11):
        with asyncio.Runner(loop_factory=lambda: new_loop(kind)) as runner:
            return runner.run(coro)
    loop = new_loop(kind)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(coro)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def begin():
    return asyncconsole.start(port=0, unix_socket=False, stall_threshold=THRESHOLD)


def block():
    time.sleep(BLOCK)


async def settle():
    """Until the probe has looked at this loop."""
    await asyncio.sleep(THRESHOLD * 1.5)


def told(console):
    """The stalls that are over, once none goes on."""
    end = time.monotonic() + 20
    while any(stall.ongoing for stall in console._target.stalls()) and time.monotonic() < end:
        time.sleep(0.01)
    return [
        {
            "loop": stall.loop,
            "task": stall.task_name,
            "kind": stall.kind,
            "call": stall.call,
            "function": stall.frame.function if stall.frame else None,
            "duration": stall.duration,
        }
        for stall in console._target.stalls()
    ]


def threads(kind):
    """Loops of three threads, blocked at the same time; a fourth one is well."""
    together = threading.Barrier(3)
    stop = threading.Event()

    async def worker(number):
        await settle()
        together.wait(20)
        block()
        await settle()

    def serve(number):
        run(named(worker(number), f"worker:{number}"), kind)

    async def healthy():
        while not stop.is_set():
            await asyncio.sleep(0.01)

    with begin() as console:
        fine = threading.Thread(target=lambda: run(named(healthy(), "healthy"), kind))
        fine.start()
        workers = [threading.Thread(target=serve, args=(number,)) for number in range(3)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
        stop.set()
        fine.join()
        return told(console)


async def named(coro, name):
    await asyncio.get_running_loop().create_task(coro, name=name)


def restarts(kind):
    """One asyncio.run after the other; the third ends at once when it is free again."""
    loops = weakref.WeakSet()

    async def main(last):
        loops.add(asyncio.get_running_loop())
        await settle()
        block()
        if not last:
            await asyncio.sleep(0.05)

    with begin() as console:
        for number in range(4):
            run(named(main(number == 2), f"run:{number}"), kind)
        seen = told(console)
        gc.collect()
        return {"stalls": seen, "left": len(loops)}


def forked(kind):
    """A child that is forked inside a running loop starts a console of its own."""

    async def culprit():
        await settle()
        block()
        await asyncio.sleep(0.05)

    def child(sender):
        again = begin()
        closed = again.closed
        run(named(culprit(), "child"), kind)
        sender.send({"closed": closed, "stalls": told(again), "mine": again is not console})
        sender.close()
        again.close()

    async def main():
        await settle()
        receiver, sender = multiprocessing.Pipe(duplex=False)
        pid = os.fork()
        if pid == 0:
            try:
                child(sender)
                os._exit(0)
            finally:
                os._exit(4)
        sender.close()
        found = await asyncio.to_thread(receiver.recv)
        status = await asyncio.to_thread(os.waitpid, pid, 0)
        await named(culprit(), "parent")
        return found, status[1]

    with begin() as console:
        found, status = run(main(), kind)
        return {"child": found, "status": status, "stalls": told(console)}


def notebook(kind):
    """As in a notebook: the loop runs for good, and each cell is run by a task of it."""
    space = {"asyncio": asyncio, "time": time, "asyncconsole": asyncconsole}
    flags = {"flags": 8192}  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    cells = [
        "console = asyncconsole.start(port=0, unix_socket=False, stall_threshold=0.2)",
        "background = asyncio.ensure_future(asyncio.sleep(60))",
        "await asyncio.sleep(0.3)",
        "time.sleep(1.2)",
        "await asyncio.sleep(0.3)",
        "console.close(); console = asyncconsole.start(port=0, unix_socket=False, stall_threshold=0.2)",
        "await asyncio.sleep(0.3)",
        "time.sleep(1.2)",
        "background.cancel()",
    ]

    async def execute(number, source):
        code = compile(source, f"<cell {number}>", "exec", **flags)
        waits = eval(code, space)
        if waits is not None:
            await waits

    async def main():
        for number, source in enumerate(cells, 1):
            await named(execute(number, source), f"cell:{number}")
            await asyncio.sleep(0.05)
            if source.startswith("console.close"):
                continue
            seen[number] = [
                stall["task"] for stall in await asyncio.to_thread(told, space["console"])
            ]

    seen = {}
    try:
        run(main(), kind)
    finally:
        space["console"].close()
    return seen


def main(scenario, kind):
    signal.alarm(90)
    logging.getLogger("asyncconsole.stalls").propagate = False  # not on stderr
    logging.getLogger("asyncconsole.stalls").addHandler(logging.NullHandler())
    print(json.dumps(globals()[scenario](kind)))


if __name__ == "__main__":
    main(*sys.argv[1:])
