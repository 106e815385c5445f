"""Reads a program's tasks from a thread of its own while they come, go and are cancelled.

Usage: python churn.py KIND READS    (asyncio, debug, eager, uvloop)

Prints one JSON object: reads of chains, frames and holders, what was raised and logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import sys
import threading
import time

from tests.capture.random_house import Complaints

TASKS = 60
LONGEST = 500.0
"""Seconds after which it stops, however few the reads."""


async def rows(lock):
    async with lock:
        yield 1
        await asyncio.sleep(0)
        yield 2


@contextlib.asynccontextmanager
async def opened(lock):
    async with lock:
        yield


async def work(locks, chance):
    first, second = chance.sample(locks, 2)
    kind = chance.randrange(5)
    if kind == 0:
        async with first:
            await asyncio.sleep(0)
            async with second:
                await asyncio.sleep(0)
    elif kind == 1:
        async with opened(first):
            await asyncio.sleep(0)
    elif kind == 2:
        async for _ in rows(first):
            await asyncio.sleep(0)
    elif kind == 3:
        await asyncio.wait_for(work(locks, chance), 1)
    else:
        await asyncio.gather(work(locks, chance), asyncio.sleep(0), return_exceptions=True)


async def churn(done):
    chance = random.Random(1)
    locks = [asyncio.Lock() for _ in range(8)]
    tasks = set()
    born = 0
    while not done.is_set():
        while len(tasks) < TASKS:
            task = asyncio.get_running_loop().create_task(work(locks, chance))
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            tasks.add(task)
            born += 1
        await asyncio.sleep(0)
        for task in chance.sample(sorted(tasks, key=id), 10):
            task.cancel()
        tasks = {task for task in tasks if not task.done()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=5)
    return born


def read(loop, wanted, done, report):
    """The console's thread: as a capture reads, over and over."""
    from asyncconsole.capture import drafts, futures
    from asyncconsole.capture.program import Program

    program = Program()
    program.loops.note(loop)
    until = time.monotonic() + LONGEST
    rounds = 0
    try:
        while report["reads"] < wanted and time.monotonic() < until:
            if not rounds % 20:
                for _ in program.capture():
                    pass
                report["captures"] += 1
            rounds += 1
            for task in program.look().tasks:
                draft = drafts.Draft(task, program.tasks.of(task), loop)
                drafts.read(draft, running=futures.current(loop) is draft.task, holds=True)
                # A chain, its levels, and what each of them holds.
                report["reads"] += 2 + 2 * len(draft.chain.levels)
                report["held"] += len(draft.grip.held)
                report["moved"] += draft.gap == "moved while it was read"
    except BaseException as broken:
        report["raised"] = f"{type(broken).__name__}: {broken}"
        raise
    finally:
        done.set()


def main(kind, wanted):
    complaints = Complaints()
    logging.getLogger("asyncconsole").addHandler(complaints)
    if kind == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
        loop.set_debug(kind == "debug")
        loop.slow_callback_duration = 1000
        if kind == "eager":
            loop.set_task_factory(asyncio.eager_task_factory)
    loop.set_exception_handler(lambda *_: None)
    done = threading.Event()
    report = {"reads": 0, "captures": 0, "held": 0, "moved": 0, "raised": ""}
    sys.setswitchinterval(1e-4)
    reader = threading.Thread(target=read, args=(loop, wanted, done, report), daemon=True)
    began = time.monotonic()
    reader.start()
    report["born"] = loop.run_until_complete(churn(done))
    reader.join(10)
    report["seconds"] = round(time.monotonic() - began, 1)
    report["logged"] = complaints.found
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)
