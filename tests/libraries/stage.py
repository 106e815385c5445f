"""What the child programs of these tests share; runs in the child (no pytest here).

A program gives its tasks names, lets them hang, and is captured from another thread
through the front door. It prints one JSON document: scenario to snapshot and findings.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import sys
import threading
import time

import asyncconsole

FOUND = {}
_ALL = []


def spawn(coro, name):
    task = asyncio.get_running_loop().create_task(coro, name=name)
    _ALL.append(task)
    return task


async def until(condition, what):
    """Wait until something of the program's has happened."""
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        await asyncio.sleep(0.01)


async def look(scenario):
    """Capture twice and diagnose, from a side thread as the console does."""
    loop = asyncio.get_running_loop()
    suspended = threading.Event()
    loop.call_soon(suspended.set)  # runs when this task is suspended as well
    FOUND[scenario] = await loop.run_in_executor(None, _look, suspended)


def _look(suspended):
    suspended.wait(30)
    snapshot = asyncconsole.snapshot()
    diagnosis = asyncconsole.diagnose()
    return {
        "snapshot": dataclasses.asdict(snapshot),
        "findings": [dataclasses.asdict(item) for item in diagnosis.findings],
    }


async def end():
    """Cancel what was spawned."""
    for task in _ALL:
        task.cancel()
    await asyncio.gather(*_ALL, return_exceptions=True)
    _ALL.clear()


def run(main):
    """Run the program."""
    asyncio.run(main)


def leave():
    """Print what was found and go, whatever is left hanging."""
    json.dump(FOUND, sys.stdout, default=str)
    sys.stdout.flush()
    os._exit(0)
