"""A program with a `StallProbe` and no console: ``told.py SCENARIO LOOP``; prints JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

import asyncconsole

THRESHOLD = 0.2
BLOCK = 0.5


def nap():
    time.sleep(BLOCK)  # the call


def spin():
    end = time.monotonic() + BLOCK
    while time.monotonic() < end:
        sum(range(100))


async def until(condition, patience=20.0):
    """Wait with a responsive loop until something is so."""
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:
        await asyncio.sleep(0.01)


async def stall(block=nap, name="culprit"):
    """Block the loop once it has been seen to work."""

    async def blocker():
        await asyncio.sleep(2 * THRESHOLD)
        block()

    await asyncio.create_task(blocker(), name=name)


def ended(probe):
    return [item for item in probe.stalls if not item.ongoing]


class Heard:
    """What a callback was told, and in which thread."""

    def __init__(self):
        self.stalls = []
        self.threads = set()
        self.over = threading.Event()

    def __call__(self, stall):
        self.stalls.append(stall)
        self.threads.add(threading.current_thread().name)
        if not stall.ongoing:
            self.over.set()

    def told(self):
        return {
            "heard": [[item.id, item.ongoing, item.task_name, item.call] for item in self.stalls],
            "summaries": [item.summary for item in self.stalls],
            "threads": sorted(self.threads),
        }


class Log(logging.Handler):
    """Keeps records."""

    def __init__(self, name="asyncconsole"):
        super().__init__()
        self.records = []
        logging.getLogger(name).addHandler(self)
        logging.getLogger(name).propagate = False

    def emit(self, record):
        self.records.append(record)

    def told(self):
        return [[item.name, item.levelname, item.getMessage()] for item in self.records]


def files():
    """Descriptors that are open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def left():
    return [thread.name for thread in threading.enumerate()]


def before(kind):
    """The probe is there before any loop, and for several of them in a row."""
    run(asyncio.sleep(0), kind)  # what a first run leaves open is not the probe's
    at_first = files()
    heard = Heard()
    os.environ["ASYNCCONSOLE_STALL_LOG"] = "/no/such/file"  # a console's, not the probe's
    log = Log()
    with asyncconsole.StallProbe(threshold=THRESHOLD, on_stall=heard, log=False) as probe:
        run(stall(), kind)
        heard.over.wait(20)
        heard.over.clear()
        run(stall(name="second"), kind)
        heard.over.wait(20)
    kept = [[item.id, item.ongoing] for item in probe.stalls]
    probe.close()
    return {
        **heard.told(),
        "stalls": kept,
        "left": left(),
        "files": files() - at_first,
        "closed": probe.closed,
        "log": log.told(),
    }


def inside(kind):
    """The probe is made in a running loop, and watches that of another thread, too."""
    heard = Heard()
    _ = asyncconsole.StallProbe  # its import takes so long on a busy machine that it is a stall

    async def main():
        async with asyncconsole.StallProbe(threshold=THRESHOLD, on_stall=heard, log=False) as probe:
            await stall()
            await asyncio.to_thread(run, stall(name="elsewhere"), "asyncio")
            await until(lambda: len(ended(probe)) == 2)
            loops = sorted({item.loop for item in probe.stalls})
        return {"loops": loops, "left": left()}

    return {**run(main(), kind), **heard.told()}


def two_places(kind):
    """One stall at two lines has two stacks at the least."""
    with asyncconsole.StallProbe(threshold=THRESHOLD, log=False) as probe:

        def block():
            nap()
            spin()

        async def main():
            await stall(block)
            await until(lambda: ended(probe))

        run(main(), kind)
    (found,) = probe.stalls
    return {
        "samples": found.samples,
        "counts": [count for _, count in found.stacks],
        "functions": sorted({frame.function for stack, _ in found.stacks for frame in stack}),
        "most": found.stack == found.stacks[0][0],
    }


def raising(kind):
    """A callback that fails is complained of once, and called again."""
    log = Log()
    calls = []

    def fail(stall):
        calls.append(stall.ongoing)
        if len(calls) == 4:
            over.set()
        sys.exit(3)

    over = threading.Event()
    with asyncconsole.StallProbe(threshold=THRESHOLD, on_stall=fail, log=False):
        run(stall(), kind)
        run(stall(), kind)
        over.wait(20)
    return {"calls": calls, "log": log.told()}


def stuck(kind):
    """A callback that doesn't return: the probe goes on, and ends in time."""
    gate = threading.Event()
    probe = asyncconsole.StallProbe(
        threshold=THRESHOLD, on_stall=lambda _stall: gate.wait(60), log=False
    )

    async def main():
        await stall()
        await stall()
        await until(lambda: len(ended(probe)) == 2)

    run(main(), kind)
    began = time.monotonic()
    probe.close()
    took = time.monotonic() - began
    gate.set()
    return {"stalls": len(probe.stalls), "took": took}


def logged(kind):
    """By default stalls are logged; in a row, the first of a culprit."""
    log = Log()
    with asyncconsole.StallProbe(threshold=THRESHOLD) as probe:

        async def main():
            for number in range(3):
                await stall()
                await until(lambda: len(ended(probe)) == number + 1)  # noqa: B023 - is done with

        run(main(), kind)
    return {
        "log": log.told(),
        "ids": [record.stall.id for record in log.records],
        "first": log.records[0].getMessage(),
    }


def lines(kind):
    """Lines of JSON; where they can't be written, that is said once."""
    log = Log()
    path, missing = sys.argv[3], f"{sys.argv[3]}/no/such"
    with (
        contextlib.closing(_probe(path)) as one,
        contextlib.closing(_probe(missing)) as other,
    ):
        for number in (1, 2):

            async def main():
                await stall()
                await until(lambda: min(len(ended(one)), len(ended(other))) == number)  # noqa: B023

            run(main(), kind)
    return {"log": log.told()}


def _probe(path):
    return asyncconsole.StallProbe(threshold=THRESHOLD, stall_log=path, log=False)


def forked(kind):
    """A forked child has no probe, and may have its own; the parent's goes on."""
    heard = Heard()
    with asyncconsole.StallProbe(threshold=THRESHOLD, on_stall=heard, log=False) as probe:
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            code = 1
            with contextlib.suppress(BaseException):
                closed = probe.closed
                with asyncconsole.StallProbe(threshold=THRESHOLD, log=False) as own:

                    async def main():
                        await stall()
                        await until(lambda: ended(own))

                    run(main(), kind)
                code = 0 if closed and len(own.stalls) == 1 else 2
            os._exit(code)
        status = os.waitpid(child, 0)[1]
        run(stall(), kind)
        heard.over.wait(20)
    return {"child": status, **heard.told()}


def beside(kind):
    """A console and two probes: none takes another's loop for the program's."""
    asyncconsole.snapshot()  # what it imports is loaded now, not on the loop
    heard = [Heard() for _ in range(3)]
    console = asyncconsole.start(
        port=0, unix_socket=False, stall_threshold=THRESHOLD, on_stall=heard[0]
    )
    log = Log()
    probes = [
        asyncconsole.StallProbe(threshold=THRESHOLD, on_stall=one, log=False) for one in heard[1:]
    ]

    async def main():
        await stall()
        for one in heard:
            await until(one.over.is_set)
        return sum(loop.running for loop in asyncconsole.snapshot().loops)

    loops = run(main(), kind)
    probes[0].close()
    again = run(main(), kind)
    console.close()
    probes[1].close()
    return {
        "loops": [loops, again],
        "heard": [[item.task_name for item in one.stalls] for one in heard],
        "left": left(),
        "log": [name for name, _, _ in log.told()],
    }


def unclosed(kind):
    """Nobody closes it: the program ends all the same."""
    probe = asyncconsole.StallProbe(threshold=THRESHOLD, log=False)

    async def main():
        await stall()
        await until(lambda: ended(probe))

    run(main(), kind)
    return {"stalls": len(probe.stalls)}


def run(coroutine, kind):
    """Run it on a new loop of that kind."""
    if kind == "asyncio":
        return asyncio.run(coroutine)
    import uvloop

    if sys.version_info >= (3, 11):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(coroutine)
    uvloop.install()
    return asyncio.run(coroutine)


if __name__ == "__main__":
    signal.alarm(90)
    print(json.dumps(globals()[sys.argv[1]](sys.argv[2])))
