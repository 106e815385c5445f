"""What a program of the evaluation really does, with no console in it: ``truth.py PROGRAM LOOP SECONDS``.

Looks at every task when the program has been READY for a second, and again SECONDS later. Prints TRUTH and JSON: for each task name (``unnamed`` for all without one) what
became of it: ``parked`` (on the very same future both times), ``moved``, ``runs`` (waits for nothing: it
has the loop, or wants it), ``ended``, ``new``. Then BLOCKED, if a loop does not run a callback within
seconds.
"""

from __future__ import annotations

import asyncio
import builtins
import gc
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.loops import run_program

ANSWERS = 3.0  # seconds in which a loop that is not blocked runs a callback


def waits():
    """Task to the future that it waits on, for every task that has not ended."""
    tasks = [thing for thing in gc.get_objects() if isinstance(thing, asyncio.Task)]
    return {task: task._fut_waiter for task in tasks if not task.done()}


def compare(before, after):
    fates = {}
    for task in [*before, *(task for task in after if task not in before)]:
        if task not in after:
            fate = "ended"
        elif task not in before:
            fate = "new"
        elif after[task] is None and before[task] is None:
            fate = "runs"
        else:
            fate = "parked" if after[task] is before[task] else "moved"
        name = task.get_name()
        fates.setdefault("unnamed" if name.startswith("Task-") else name, set()).add(fate)
    return {name: sorted(seen) for name, seen in fates.items()}


def blocked():
    """Whether a loop does not answer; asked last, for asking wakes it."""
    for loop in {task.get_loop() for task in waits()}:
        answered = threading.Event()
        loop.call_soon_threadsafe(answered.set)
        if not answered.wait(ANSWERS):
            return True
    return False


def watch(ready, seconds):
    ready.wait()
    time.sleep(1)
    before = waits()
    time.sleep(seconds)
    print("TRUTH", json.dumps(compare(before, waits())), flush=True)
    if blocked():
        print("BLOCKED", flush=True)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def main(path, kind, seconds):
    os.setpgid(0, 0)
    signal.alarm(120)
    ready = threading.Event()
    plain = builtins.print

    def said(*words, **options):
        if words == ("READY",):
            ready.set()
        else:
            plain(*words, **options)

    threading.Thread(target=watch, args=(ready, float(seconds)), daemon=True).start()
    builtins.print = said
    run_program(path, kind)


if __name__ == "__main__":
    main(*sys.argv[1:])
