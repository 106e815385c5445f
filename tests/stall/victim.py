"""A program with a probe in a side thread: ``victim.py SCENARIO LOOP``; prints JSON."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import itertools
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from asyncconsole.capture.loops import LoopBook
from asyncconsole.stall import Probe, clocks
from asyncconsole.stall.watch import Watch

THRESHOLD = 0.2
BLOCK = 0.5


class Side:
    """A side thread with its own loop, as the console has one."""

    def __init__(self, threshold=THRESHOLD):
        self.loop = asyncio.new_event_loop()
        self.book = LoopBook()
        self.book.ignore(self.loop)
        ids = itertools.count(1)
        names = {}

        def identify(task):
            return names.setdefault(task.get_name(), next(ids)), task.get_name()

        self.probe = Probe(self.loop, self.book, identify, threshold)
        self.thread = threading.Thread(target=self._run, daemon=True, name="side")
        self.thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self.probe.start)
        self.loop.run_forever()

    def do(self, function):
        """Run a function on the side loop and wait for its result."""

        async def call():
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(10)

    def ask(self, number, timeout):
        return asyncio.run_coroutine_threadsafe(self.probe.ask(number, timeout), self.loop)

    def close(self):
        self.do(self.probe.stop)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


async def ended(side, count=1, patience=20.0):
    """Wait until that many stalls have ended; the loop stays responsive."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if sum(not stall.ongoing for stall in side.probe.stalls()) >= count:
            return
        await asyncio.sleep(0.01)


async def settled():
    """Long enough for the probe to have looked at the loop."""
    await asyncio.sleep(THRESHOLD * 1.5)


def nap():
    time.sleep(BLOCK)  # the call


async def sleeper():
    await settled()
    nap()


def spin(seconds):
    end = time.monotonic() + seconds
    total = 0
    while time.monotonic() < end:
        total += sum(range(100))
    return total


async def named(coro, name="culprit"):
    """Run a coroutine as a task of that name."""
    await asyncio.create_task(coro, name=name)


async def culprits(side):
    """One stall after the other, each with its kind of call."""
    scenarios = [cpu, callback]
    if new_loop.kind == "asyncio":
        scenarios += [lock, with_lock, in_library, selecting]
    await blocking(side)
    for count, scenario in enumerate(scenarios, 2):
        await scenario(side, count)


async def blocking(side):
    await named(sleeper(), "blocking")
    await ended(side)


async def cpu(side, count):
    async def spinner():
        await settled()
        end = time.thread_time() + BLOCK  # a busy machine gives it less than that
        while time.thread_time() < end:
            spin(0.001)

    await named(spinner(), "cpu")
    await ended(side, count)


async def lock(side, count):
    held = threading.Lock()
    held.acquire()

    async def locker():
        await settled()
        threading.Timer(BLOCK, held.release).start()
        held.acquire()

    await named(locker(), "lock")
    await ended(side, count)


async def callback(side, count):
    await settled()
    asyncio.get_running_loop().call_soon(nap)
    await ended(side, count)


HARD = re.compile(r"(a+)+$")


def difficult(side):
    """A text that takes the CPU for twice the threshold or more, however fast it is."""
    side.do(lambda: side.probe.configure(on=False))  # the attempts are stalls, too
    text = "a" * 18
    spent = 0.0
    while spent < THRESHOLD:  # not by the clock on the wall: the machine may be busy now
        text += "a"
        started = time.thread_time()
        HARD.match(text + "b")
        spent = time.thread_time() - started
    side.do(lambda: side.probe.configure(on=True))
    return text + "aa"  # twice as long with each letter


async def regex(side):
    text = await asyncio.to_thread(difficult, side)

    async def matcher():
        await settled()
        HARD.match(text + "b")

    await named(matcher())
    await ended(side)


def huge(side):
    """An exponent whose power of 3 takes the CPU for twice the threshold or more."""
    side.do(lambda: side.probe.configure(on=False))
    exponent, spent = 1 << 16, 0.0
    while spent < THRESHOLD:
        exponent *= 2
        started = time.thread_time()
        3**exponent
        spent = time.thread_time() - started
    side.do(lambda: side.probe.configure(on=True))
    return exponent * 3  # more than three times as long


async def power(side):
    exponent = await asyncio.to_thread(huge, side)

    async def raiser():
        await settled()
        assert bool(3**exponent)

    await named(raiser())
    await ended(side)


async def power_at_the_end(side):
    """An operator gives the GIL back at the next call only, and here is none."""
    exponent = await asyncio.to_thread(huge, side)

    async def raiser():
        await settled()
        3**exponent

    await named(raiser())
    await ended(side)


async def power_in_a_first_turn(side):
    """Nobody has seen the loop before."""
    exponent = await asyncio.to_thread(huge, side)
    await settled()

    async def raiser():
        assert bool(3**exponent)

    def run():
        loop = new_loop(new_loop.kind)
        loop.run_until_complete(raiser())
        loop.close()

    await asyncio.to_thread(run)
    await ended(side)


async def regex_in_thread(side):
    text = await asyncio.to_thread(difficult, side)

    def match():
        HARD.match(text + "b")

    await settled()
    await asyncio.to_thread(match)
    await ended(side)


def crowd(side):
    """Objects that take the collector three times the threshold or more."""
    side.do(lambda: side.probe.configure(on=False))
    gc.disable()
    kept, spent = [], 0.0
    while spent < 3 * THRESHOLD:
        kept.append([[] for _ in range(1_000_000)])
        started = time.thread_time()
        gc.collect()
        spent = time.thread_time() - started
    side.do(lambda: side.probe.configure(on=True))
    return kept


async def collects(side):
    """A collection in a task, then in a thread; nothing is told of one once the probe is off."""
    kept = await asyncio.to_thread(crowd, side)

    async def allocates():
        await settled()
        gc.collect()

    await named(allocates())
    await ended(side)
    await settled()
    await asyncio.to_thread(gc.collect)
    await ended(side, 2)
    listens = [len(gc.callbacks)]
    side.do(lambda: side.probe.configure(on=False))
    listens.append(len(gc.callbacks))
    del kept[:]
    return listens


async def sleeps_with_the_gil(side):
    """C code that keeps the GIL and uses no CPU."""
    import ctypes

    usleep = ctypes.PyDLL(None).usleep

    async def sleeper():
        await settled()
        usleep(int(2 * THRESHOLD * 1e6))

    await named(sleeper())
    await ended(side)


async def held_in_a_short_look(side):
    """C code takes the GIL in the midst of a short look that finds nothing."""
    import ctypes

    side.do(lambda: side.probe.configure(threshold=THRESHOLD / 2))  # else all are whole ones
    usleep = ctypes.PyDLL(None).usleep
    well, waits, goes = Watch.well, threading.Event(), threading.Event()

    def slow(watch, *known):
        waits.set()
        goes.wait()  # gives the GIL back, as reading a file does
        well(watch, *known)

    async def sleeper():
        await settled()
        Watch.well = slow
        while not waits.is_set():
            await asyncio.sleep(0.001)
        Watch.well = well
        goes.set()
        usleep(int(2 * THRESHOLD * 1e6))
        for _ in range(50):
            spin(0.001)
            await asyncio.sleep(0)

    await named(sleeper())
    await ended(side)


def beat(side):
    """The question that the first loop has not answered yet."""
    watch = side.probe._watches.get(1)
    found = None if watch is None else watch.beat
    return None if found is None or found.answered is not None else found


def spin_until(condition):
    """Spin, so that the probe finds a busy loop, until something is so."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        spin(0.001)


async def behind(side):
    """The question waits in the queue of the very turn that is blocked."""
    await settled()
    asyncio.get_running_loop().call_soon(nap)
    spin_until(lambda: beat(side))
    await ended(side)


class Late:
    """A probe whose side thread comes to look only when it is let.

    Attributes:
        sleeps: True while it does not look.
        when_asked: Sleep from the next look that leaves a question open.
        skipped: Looks that it has left out.
        suspects: For each look since, whether it then held the first loop for stalled, or
            gave it the last chance that a late side thread gives.
    """

    def __init__(self, side):
        self.side = side
        self.look = side.probe._look
        side.probe._is_well = lambda _now: False  # no short looks beside
        self.sleeps = self.when_asked = False
        self.skipped = 0
        self.suspects = []
        side.probe._look = self.come

    def come(self, now):
        if self.sleeps:
            self.skipped += 1
            self.suspects.clear()
            return 0.005
        delay = self.look(now)
        watch = self.side.probe._watches.get(1)
        self.suspects.append(watch is not None and (watch.declared or watch.graced))
        if self.when_asked and beat(self.side):
            self.sleeps = True
        return delay


async def overslept(side):
    """The side thread looks before and after a stall, but not in it."""
    late = Late(side)
    await settled()

    async def sleeper():
        late.when_asked = True
        started = time.monotonic()
        spin_until(lambda: late.sleeps)
        spun.append(time.monotonic() - started)
        nap()

    spun = []
    await named(sleeper())
    late.when_asked = late.sleeps = False
    await ended(side)
    return {"in_time": spun[0] < THRESHOLD / 2}


async def late_look(side):
    """The side thread finds a stall that has lasted for longer than the threshold."""
    late = Late(side)
    await settled()
    found = threading.Event()

    def wake(since, thread):
        """Let it look once the culprit blocks, and has for long; not while it wants a CPU."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            time.sleep(0.005)
            long = time.monotonic() - since >= 2 * THRESHOLD and late.skipped
            if long and not clocks.runnable(thread):
                break
        late.sleeps = False
        while not side.probe.stalls() and time.monotonic() < end:
            time.sleep(0.005)
        found.set()

    async def sleeper():
        late.sleeps = True
        waker = threading.Thread(target=wake, args=(time.monotonic(), threading.get_ident()))
        waker.start()
        found.wait(20)
        waker.join()

    started = time.monotonic()
    await named(sleeper())
    spent = time.monotonic() - started
    await ended(side)
    return {"spent": spent, "at_once": late.suspects[0]}


async def healthy(side):
    await bursts(side)
    await long_turns(side)


async def bursts(side):
    """100 % busy in short turns, and bursts of many callbacks."""
    loop = asyncio.get_running_loop()
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        for _ in range(200):
            loop.call_soon(sum, range(200))
        spin(0.005)
        await asyncio.sleep(0)
    await asyncio.sleep(0.3)


async def long_turns(side):
    """Turns that are long, but shorter than the threshold."""
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        time.sleep(THRESHOLD * 0.5)
        await asyncio.sleep(0)


async def starving(side):
    """Turns so short and many that no other thread gets the GIL for long."""
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        spin(0.002)
        await asyncio.sleep(0)


async def loaded(side):
    """Other processes take all CPUs of the machine."""
    hogs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            spin(0.002)
            await asyncio.sleep(0.003)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def _stop_for(seconds):
    """Stop this process with SIGSTOP for a while."""
    pid = os.getpid()
    return subprocess.Popen(
        ["/bin/sh", "-c", f"kill -STOP {pid}; sleep {seconds}; kill -CONT {pid}"]
    )


async def stopped_idle(side):
    await settled()
    stopper = _stop_for(4 * THRESHOLD)
    while stopper.poll() is None:
        await asyncio.sleep(0.02)
    await asyncio.sleep(2 * THRESHOLD)


async def stopped_busy(side):
    await settled()
    for _ in range(3):
        stopper = _stop_for(4 * THRESHOLD)
        while stopper.poll() is None:
            spin(0.004)
            await asyncio.sleep(0)
    end = time.monotonic() + 2 * THRESHOLD
    while time.monotonic() < end:
        spin(0.004)
        await asyncio.sleep(0)


async def ongoing(side):
    """What the probe says while the loop is blocked."""
    seen = {}

    def look():
        end = time.monotonic() + 5
        while time.monotonic() < end and not side.probe.stalls():
            time.sleep(0.01)
        seen["stalls"] = [dataclasses.asdict(stall) for stall in side.probe.stalls()]
        seen["blocked"] = side.probe.blocked(1)
        seen["lag"] = side.probe.lags(1)[0]
        seen["asked"] = side.ask(1, 0.05).result(5)
        seen["asked_again"] = side.ask(1, 0.05).result(5)
        done.set()

    done = threading.Event()

    async def waiter():
        await settled()
        threading.Thread(target=look).start()
        done.wait(10)

    await named(waiter())
    await ended(side)
    seen["after"] = side.probe.blocked(1)
    return seen


async def two_in_a_row(side):
    await named(sleeper(), "one")
    await ended(side, 1)
    await named(sleeper(), "two")
    await ended(side, 2)


async def asked(side):
    await settled()
    lag = await asyncio.wrap_future(side.ask(1, 5.0))
    return {"lag": lag, "lags": side.probe.lags(1), "missing": side.ask(99, 1.0).result(5)}


async def off(side):
    """Off: neither beats nor stalls. On again: both."""
    first = side.do(lambda: side.probe.configure(on=False))
    await named(sleeper())
    await asyncio.sleep(2 * THRESHOLD)
    while_off = len(side.probe.stalls())
    second = side.do(lambda: side.probe.configure(on=True, threshold=0.1))
    await named(sleeper())
    await ended(side)
    third = side.do(lambda: side.probe.configure(threshold=0))
    return {"while_off": while_off, "status": [first, second, third]}


async def broken(side):
    """A beat that raises is contained, and the next one comes."""
    find = side.book.find
    calls = []

    def trip():
        calls.append(1)
        if len(calls) < 4:
            raise RuntimeError("on purpose")
        return find()

    side.book.find = trip
    await asyncio.sleep(THRESHOLD * 3)
    await named(sleeper())
    await ended(side)
    return {"calls": len(calls)}


async def with_lock(side, count):
    held = threading.Lock()
    held.acquire()

    async def locker():
        await settled()
        threading.Timer(BLOCK, held.release).start()
        with held:
            pass

    await named(locker(), "with_lock")
    await ended(side, count)


async def in_library(side, count):
    """The program's frame is named, not the library's that it called."""
    import queue

    async def getter():
        await settled()
        with contextlib.suppress(queue.Empty):
            queue.Queue().get(timeout=BLOCK)

    await named(getter(), "in_library")
    await ended(side, count)


async def selecting(side, count):
    """A select that is not the loop's own."""
    import selectors

    async def selector():
        await settled()
        with selectors.DefaultSelector() as own:
            own.select(BLOCK)

    await named(selector(), "selecting")
    await ended(side, count)


async def handler(side):
    """A signal handler that blocks while the loop waits for events."""
    signal.signal(signal.SIGUSR2, lambda *_: nap())
    await settled()
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR2)).start()
    await ended(side)


async def other_thread(side):
    """The loop of another thread, started later, is blocked; this one is not."""

    def run():
        loop = new_loop("asyncio")
        loop.run_until_complete(named(sleeper(), "blocking"))
        loop.close()

    await settled()
    await asyncio.to_thread(run)
    await ended(side)


async def idle(side):
    """Nobody wakes a loop that waits for events."""
    await settled()
    before = _wakeups()
    await asyncio.sleep(10 * THRESHOLD)
    return {"wakeups": _wakeups() - before}


def _wakeups():
    """How often this thread went to sleep so far."""
    import resource

    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


async def without_frames(side):
    """Where stacks can't be read, a noted loop is asked and its stalls are still seen."""
    sys._is_gil_enabled = lambda: False
    side.book.note(asyncio.get_running_loop())
    await named(sleeper())
    await ended(side)


async def many(side):
    """More stalls than the ring holds."""
    side.do(lambda: side.probe.configure(threshold=0.01))
    for number in range(300):
        end = time.monotonic() + 5
        while side.probe._last <= number and time.monotonic() < end:
            time.sleep(0.025)
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.1)
    last = side.probe.stalls()[-1].id
    return {"last": last, "dropped": side.probe.dropped}


async def forked(side):
    """A child of fork() keeps working and ends."""
    await settled()
    pid = os.fork()
    if pid == 0:
        try:
            fine = len(side.probe.stalls()) == 0 and side.book.find() is not None
            again = Side()
            fine = fine and again.do(lambda: 7) == 7
            again.close()
            os._exit(0 if fine else 3)
        finally:
            os._exit(4)
    status = await asyncio.to_thread(os.waitpid, pid, 0)
    return {"child": status[1]}


SCENARIOS = {
    function.__name__: function
    for function in (
        culprits, regex, power, power_at_the_end, power_in_a_first_turn, regex_in_thread, sleeps_with_the_gil, held_in_a_short_look, collects, behind, overslept, late_look, healthy, loaded, stopped_idle, stopped_busy, ongoing,
        two_in_a_row, asked, off, broken, forked, handler, other_thread, idle, without_frames,
        many, starving,
    )
}  # fmt: skip


def new_loop(kind):
    new_loop.kind = kind
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    loop = asyncio.new_event_loop()
    if kind == "debug":
        loop.set_debug(True)
    if kind == "eager":
        loop.set_task_factory(asyncio.eager_task_factory)
    return loop


def queued():
    """Seconds that the threads of this process were ready to run and had no CPU."""
    files = Path("/proc/self/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[1]) for file in files) / 1e9


def main(scenario, kind):
    side = Side()
    loop = new_loop(kind)
    if kind == "debug":
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it complains of slow callbacks
    if kind == "uvloop" and sys.version_info < (3, 11):
        side.book.note(loop)  # the way of the tasks, without Runner
    before = queued()
    try:
        if sys.version_info >= (3, 11):
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                extra = runner.run(SCENARIOS[scenario](side))
        else:
            extra = loop.run_until_complete(SCENARIOS[scenario](side))
    finally:
        signal.alarm(20)  # what comes now must end, too
    stalls = [dataclasses.asdict(stall) for stall in side.probe.stalls()]
    waited = queued() - before
    side.close()
    loop.close()
    print(json.dumps({"stalls": stalls, "extra": extra, "queued": waited}))


if __name__ == "__main__":
    signal.alarm(60)
    main(*sys.argv[1:])
