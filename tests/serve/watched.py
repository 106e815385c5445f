"""A program that checks itself: ``watched.py NAME SECONDS``. Prints a line for each finding that is logged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import threading
import time

import asyncconsole
from asyncconsole.capture import frozen

STARTED = time.monotonic()


class Told(logging.Handler):
    def emit(self, record):
        finding = record.finding
        told = {
            "after": time.monotonic() - STARTED,
            "level": record.levelname,
            "kind": finding.kind,
            "verdict": finding.verdict,
            "text": record.getMessage(),
        }
        print(json.dumps(told), flush=True)
        TOLD.append(finding.kind)


TOLD = []
LONGEST = 40.0
"""Seconds for a finding, on a machine that has much else to do."""


def say(**facts):
    print(json.dumps(facts), flush=True)


def end():
    os._exit(0)  # nothing may refer to the tasks that would have to be cancelled


def once_told(count, *functions):
    """Call them on the loop some checks after so many findings have been logged.

    Nothing of the program's tells that it will.
    """
    loop = asyncio.get_running_loop()

    def wait():
        end = time.monotonic() + LONGEST
        while len(TOLD) < count and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(1.5)
        for function in functions:
            loop.call_soon_threadsafe(function)

    threading.Thread(target=wait, daemon=True).start()


async def cycle():
    first, second = asyncio.Lock(), asyncio.Lock()

    async def take(one, other):
        async with one:
            await asyncio.sleep(0.05)
            async with other:
                pass

    for count in (1, 2):
        tasks = [asyncio.create_task(take(first, second)), asyncio.create_task(take(second, first))]
        once_told(count, tasks[0].cancel)
        await asyncio.gather(*tasks, return_exceptions=True)


async def blocked():
    while "asyncconsole.serve.selfcheck" not in sys.modules:  # else both may be told at once
        await asyncio.sleep(0.05)
    for seconds in (1.5, 1.0):
        time.sleep(seconds)
        await asyncio.sleep(3)


async def healthy():
    queue = asyncio.Queue()

    async def work():
        while True:
            await queue.get()

    async def feed():
        while True:
            queue.put_nowait(None)
            await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(work()), asyncio.create_task(feed())]
    await asyncio.sleep(3)
    for task in tasks:
        task.cancel()


async def copies():
    """A deadlock that only a frozen copy proves; counts the copies."""
    made = []
    begin = frozen.Copy.__init__

    def counted(self, *words, **options):
        made.append(time.monotonic())
        begin(self, *words, **options)

    frozen.Copy.__init__ = counted

    ready = asyncio.Event()

    async def wait():
        await ready.wait()

    async def prepare():
        with contextlib.suppress(KeyError):
            {}["settings"]
            ready.set()

    task = asyncio.create_task(wait(), name="lost")
    await asyncio.create_task(prepare())
    once_told(1, lambda: say(copies=len(made)), end)
    await asyncio.wait({task})


def main():
    name, seconds = sys.argv[1:]
    logger = logging.getLogger("asyncconsole.findings")
    logger.setLevel(logging.INFO)
    logger.addHandler(Told())
    logger.propagate = False
    with asyncconsole.start(port=0, watch=float(seconds), stall_threshold=0.3):
        asyncio.run(globals()[name]())


if __name__ == "__main__":
    main()
