"""A program that freezes when told to: ``frozen.py SCENARIO LOOP``.

Says ``ready`` and the console's port, freezes at the first line on stdin, says ``thawed`` after
it, and ends with stdin.
"""

from __future__ import annotations

import asyncio
import ctypes
import re
import sys
import threading
import time

import asyncconsole

HARD = re.compile(r"(a+)+$")
LONG = 4.0  # seconds, roughly and at least
SHORT = 3.0


def tokenize(text):
    return HARD.match(text)  # the line


def difficult():
    """A text that takes the CPU for long, however fast it is."""
    text, spent = "a" * 16, 0.0
    while spent < LONG / 64:
        text += "a"
        started = time.thread_time()
        HARD.match(text + "b")
        spent = time.thread_time() - started
    return text + "a" * 6 + "b"  # twice as long with each letter


async def regex(prepared):
    tokenize(prepared)


async def power(prepared):
    # 3.12 and later multiply by Karatsuba all the same; nobody waits for its end.
    return 3 ** (1 << 28)


async def sleeps(prepared):
    ctypes.PyDLL(None).usleep(int(SHORT * 1e6))


async def in_thread(prepared):
    worker = threading.Thread(target=tokenize, args=(prepared,), name="worker")
    worker.start()
    while worker.is_alive():
        await asyncio.sleep(0.05)


async def blocks(prepared):
    time.sleep(SHORT)


async def busy(prepared):
    """Short turns, one after the other: other threads hardly get the GIL, but the loop runs."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        began = time.monotonic()
        while time.monotonic() < began + 0.002:
            pass
        await asyncio.sleep(0)


async def idle(prepared):
    await asyncio.sleep(LONG)


def line():
    return asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def main(scenario, console):
    prepared = difficult() if scenario in (regex, in_thread) else ""
    print("ready", console.port, flush=True)
    await line()
    print("begins", flush=True)
    await asyncio.create_task(scenario(prepared), name="chat:7")
    print("thawed", flush=True)
    await line()


def new_loop(kind):
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


if __name__ == "__main__":
    name, kind = sys.argv[1:]
    loop = new_loop(kind)
    with asyncconsole.start(port=0) as console:
        loop.run_until_complete(main(globals()[name], console))
    loop.close()
