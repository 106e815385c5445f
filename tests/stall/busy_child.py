"""A loop that is looked at from another thread: ``busy_child.py SCENARIO KIND``; prints JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from dataclasses import asdict

from asyncconsole.capture.loops import LoopBook
from asyncconsole.diagnose.rules.busy_callbacks import LEAST
from asyncconsole.stall.busy import sample
from tests.loops import new_loop

LOOKS, MOST = 4, 20
SPIN = ("readable", "writable", "again")
INHALED = threading.Event()


def on_readable():
    """Reads nothing."""


def on_writable():
    """Has nothing to write."""


def readable(loop):
    """The other end of the pipe is closed, which nobody notices."""
    reading, writing = os.pipe()
    os.close(writing)
    loop.add_reader(reading, on_readable)


def writable(loop):
    """The pipe has room, and there is nothing to write."""
    loop.add_writer(os.pipe()[1], on_writable)


def again(loop):
    """A callback that schedules itself."""
    loop.call_soon(again, loop)


def waits(loop):
    """Nothing to do but a pipe that stays empty."""
    loop.add_reader(os.pipe()[0], on_readable)


def breath(loop):
    """A moment of work, with more in the queue, and a longer one of waiting."""
    loop.call_soon(time.monotonic)
    end = time.monotonic() + 0.1
    INHALED.set()
    while time.monotonic() < end:
        pass
    loop.call_later(0.5, breath, loop)


def main(scenario, kind):
    loop = new_loop(kind)
    loop.call_soon(globals()[scenario], loop)
    threading.Thread(target=loop.run_forever, daemon=True).start()
    book = LoopBook()
    book.note(loop)
    begun = threading.Event()
    loop.call_soon_threadsafe(begun.set)
    begun.wait()

    async def look():
        book.ignore(asyncio.get_running_loop())
        found = []
        # A loop that spins hardly lets go of the GIL, and some looks come to see little of it.
        while len(found) < LOOKS or (
            scenario in SPIN
            and len(found) < MOST
            and all(busy["looks"] < LEAST for each in found for busy in each)
        ):
            if scenario == "breath":
                INHALED.clear()
                INHALED.wait()
            found.append([asdict(busy) for busy in await sample(book)])
        return found

    print(json.dumps(asyncio.run(look())), flush=True)
    os._exit(0)  # the loop may spin for ever


if __name__ == "__main__":
    main(*sys.argv[1:])
