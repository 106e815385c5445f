"""Checks of the timing of callbacks inside one process: ``timed.py KIND NAME...``; see test_polls.py.

Prints nothing but what goes wrong. No third party but uvloop, and the syntax of Python 3.10.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import threading
import time
import weakref
from pathlib import Path

from asyncconsole.capture.loops import LoopBook
from asyncconsole.stall import account, polls
from asyncconsole.stall.polls import PollHook

KIND, *NAMES = sys.argv[1:]
RUN, SOON = asyncio.Handle._run, asyncio.BaseEventLoop._call_soon
BOOK = LoopBook()
HOOK = PollHook(BOOK)
HOG = 0.03


def line_of(mark):
    """Number of the line of this file that ends with that mark."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, text in enumerate(lines, 1) if text.endswith(f"# {mark}"))


def site(function):
    """The most expensive place of a function: on a busy machine others are slow now and then."""
    return next(one for one in HOOK.told().sites if one.function == function)


def assert_off():
    assert asyncio.Handle.__dict__["_run"] is RUN
    assert asyncio.BaseEventLoop.__dict__["_call_soon"] is SOON
    assert "_run" not in vars(asyncio.TimerHandle)


def hog():
    time.sleep(HOG)  # costs


async def callbacks():
    """The slow one among many quick ones is named, and counted exactly."""
    HOOK.switch_on()
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    for index in range(2000):
        loop.call_soon(int)
        if index % 40 == 0:
            loop.call_soon(hog)
    loop.call_soon(done.set)
    await done.wait()
    told = HOOK.told()
    assert told.on
    assert told.unmeasured == ()
    first = told.sites[0]
    assert (first.kind, first.function, first.task, first.end) == ("callback", "hog", "", None)
    assert (first.start.file, first.start.line) == (__file__, hog.__code__.co_firstlineno)
    assert first.durations.count == 50
    assert 50 * HOG <= first.durations.total <= 50 * first.durations.longest
    assert first.durations.longest >= HOG
    assert HOG <= first.durations.quantile(0.5) <= first.durations.quantile(0.99)
    HOOK.switch_off()
    loop.call_soon(hog)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not HOOK.told().on
    assert HOOK.told().sites[0] == first  # still to be read, and nothing is added


async def nap():
    await asyncio.sleep(0)  # waits here


async def stretch(times):
    for _ in range(times):
        await nap()  # before
        hog()
        await asyncio.sleep(0)  # after


async def ends():
    await asyncio.sleep(0)  # last
    hog()


async def at_once():
    hog()
    await asyncio.sleep(0)  # first


async def steps():
    """A step of a task is named by where its coroutine waited before and after it."""
    HOOK.switch_on()
    for index in range(3):
        await asyncio.create_task(stretch(4), name=f"stretch-{index}")
    found = site("stretch")
    assert (found.kind, found.task, found.ended) == ("step", "stretch-2", False)
    assert found.durations.count == 12  # the first, of which less is known, is among them
    assert (found.start.line, found.start.function) == (line_of("waits here"), "nap")
    assert (found.end.line, found.end.function) == (line_of("after"), "stretch")
    for _ in range(2):
        await asyncio.create_task(ends())
    found = site("ends")
    assert found.durations.count == 2
    assert (found.start.line, found.end, found.ended) == (line_of("last"), None, True)
    if KIND != "eager":  # else its first step is part of ours
        await asyncio.create_task(at_once())
        found = site("at_once")
        assert found.start.line == at_once.__code__.co_firstlineno
        assert found.end.line == line_of("first")


async def rarely():
    """A coroutine that was slow once is not looked at for ever, and nothing old is told."""
    account.LOOKS = 3
    HOOK.switch_on()

    async def work():
        hog()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not HOOK._account.suspects
        await nap()
        hog()
        await asyncio.sleep(0)  # later

    await asyncio.create_task(work())
    ends = [one for one in HOOK.told().sites if one.end and one.end.line == line_of("later")]
    assert [(one.start, one.durations.count) for one in ends] == [(None, 1)]


async def looked():
    """A look in the midst of a slow step names the line that costs, and one outside does not."""
    HOOK.switch_on()
    stop = threading.Event()

    def look():
        while not stop.wait(0.002):
            HOOK.look()

    side = threading.Thread(target=look)
    side.start()
    await asyncio.create_task(stretch(10))
    stop.set()
    side.join()
    (frame, call, times), *more = site("stretch").seen
    assert times + sum(count for _, _, count in more) <= 10
    assert (frame.line, frame.function, call) == (line_of("costs"), "hog", "time.sleep")
    assert times >= 1


async def waiter(future):
    await future
    await asyncio.sleep(0.01)


async def delays():
    """A task that is woken, and must wait for a hog, was ready meanwhile; so is a late timer's."""
    HOOK.switch_on()
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    task = asyncio.create_task(waiter(future))
    await asyncio.sleep(0.02)
    before = HOOK.polls(task)
    if KIND == "eager":
        assert before is None  # it has had no step of its own yet
    else:
        assert before.idle >= 0.015
    future.set_result(None)
    hog()
    hog()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    woken = HOOK.polls(task)
    assert woken.delays.longest >= 2 * HOG
    assert woken.scheduled >= 2 * HOG
    assert woken.busy < woken.scheduled
    assert woken.steps.count >= (1 if KIND == "eager" else 2)
    time.sleep(3 * HOG + 0.01)  # its timer is due meanwhile, and nobody sees
    await task
    found = HOOK.polls(task)
    assert found.delays.longest >= 3 * HOG
    assert found.delays.count >= woken.delays.count + 1
    assert abs(found.delays.total - found.scheduled) < 1e-9  # it is over: nothing is open


async def busy():
    """Time in steps is busy, also in the one that goes on."""
    HOOK.switch_on()
    seen = []

    async def work():
        await asyncio.sleep(0)
        hog()
        await asyncio.sleep(0)
        hog()
        seen.append(HOOK.polls(asyncio.current_task()))
        await asyncio.sleep(0)

    task = asyncio.create_task(work())
    await task
    found = HOOK.polls(task)
    assert seen[0].busy >= 2 * HOG
    assert seen[0].steps.longest >= HOG
    assert found.busy >= 2 * HOG
    assert found.steps.count == (3 if KIND == "eager" else 4)
    assert found.delays.count == found.steps.count


async def foreign():
    """Other people's patches, above and below ours, in every order of coming and going."""
    ran = []

    def theirs(before):
        def _run(self):
            ran.append(1)
            before(self)

        return _run

    def patched():
        return asyncio.Handle.__dict__["_run"]

    below = theirs(RUN)
    asyncio.Handle._run = below
    HOOK.switch_on()
    assert patched() is not below
    HOOK.switch_off()
    assert patched() is below
    asyncio.Handle._run = RUN
    assert_off()

    HOOK.switch_on()
    ours = patched()
    above = theirs(ours)
    asyncio.Handle._run = above
    HOOK.switch_off()
    assert patched() is above
    ran.clear()
    await asyncio.create_task(stretch(1))
    assert ran
    assert HOOK.told().sites == ()  # ours runs through, and counts nothing
    HOOK.switch_on()
    await asyncio.create_task(stretch(1))
    assert site("stretch").durations.count == 1
    HOOK.switch_off()
    assert patched() is above
    asyncio.Handle._run = ours  # they go after us
    await asyncio.create_task(stretch(1))
    assert site("stretch").durations.count == 1
    asyncio.Handle._run = RUN
    assert_off()


async def lined_up():
    """Somebody else's ``_call_soon`` below ours is called, above ours it stays."""
    lined = []

    def theirs(before):
        def _call_soon(self, callback, args, context):
            lined.append(callback)
            handle = before(self, callback, args, context)
            if handle._source_traceback:
                del handle._source_traceback[-1]
            return handle

        return _call_soon

    def patched():
        return asyncio.BaseEventLoop.__dict__["_call_soon"]

    below = theirs(SOON)
    asyncio.BaseEventLoop._call_soon = below
    HOOK.switch_on()
    task = asyncio.create_task(stretch(1))
    await task
    assert lined
    assert HOOK.polls(task).delays.count >= 2
    await traceback()
    HOOK.switch_off()
    assert patched() is below
    asyncio.BaseEventLoop._call_soon = SOON

    HOOK.switch_on()
    above = theirs(patched())
    asyncio.BaseEventLoop._call_soon = above
    HOOK.switch_off()
    assert patched() is above
    lined.clear()
    task = asyncio.create_task(stretch(1))
    await task
    assert lined
    assert HOOK.polls(task) is None
    asyncio.BaseEventLoop._call_soon = SOON
    assert_off()


async def weak():
    """Nothing is kept alive, and what is known of a task goes with it."""
    HOOK.switch_on(1e-6)  # all is slow

    async def work():
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    tasks = [asyncio.create_task(work()) for _ in range(100)]
    references = [weakref.ref(task) for task in tasks]
    await asyncio.wait(tasks)
    assert HOOK.polls(tasks[0]).steps.count >= 2
    del tasks
    await asyncio.sleep(0.01)
    gc.collect()
    assert [reference for reference in references if reference() is not None] == []
    assert len(HOOK._meters) <= 3
    HOOK.switch_off()
    assert not HOOK._meters


async def bounded():
    """Places and tasks beyond a number are counted together, or not timed, and it is told."""
    account.MOST, polls.MOST_TASKS = 3, 5
    HOOK.switch_on(1e-6)
    space = {}
    loop = asyncio.get_running_loop()
    for index in range(10):
        exec(f"def f{index}(): sum(range(1000))", space)  # 10 us and more
        loop.call_soon(space[f"f{index}"])
    tasks = [asyncio.create_task(asyncio.sleep(0)) for _ in range(20)]
    await asyncio.wait(tasks)
    told = HOOK.told()
    assert len(told.sites) == 3, told.sites
    assert told.other.count >= 7
    assert len(HOOK._meters) == 5
    assert told.untimed >= 10 or KIND == "eager"


class Hostile:
    """A callback that raises when it is asked for anything."""

    def __init__(self):
        self.calls = 0

    def __getattribute__(self, name):
        if name == "calls":
            return object.__getattribute__(self, name)
        raise RuntimeError(name)

    def __call__(self):
        self.calls += 1
        time.sleep(0.002)


async def hostile():
    """Objects that misbehave, callbacks that raise, and a hook that fails: the program goes on."""
    HOOK.switch_on(0.001)
    loop = asyncio.get_running_loop()
    told = []
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    callback = Hostile()
    loop._call_soon(callback, (), None)  # debug mode's checks ask it for this and that
    error = ValueError("on purpose")

    def fail():
        raise error

    loop.call_soon(fail)
    task = asyncio.create_task(asyncio.sleep(3600))
    loop.call_soon(task.cancel)
    await asyncio.wait([task])
    assert callback.calls == 1
    assert told == [error]
    assert not HOOK.broken
    assert site("Hostile").durations.count == 1
    handle = loop.call_later(3600, fail)
    handle.cancel()
    HOOK._account = None  # what can't be
    loop.call_soon(hog)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "AttributeError" in HOOK.broken
    await asyncio.create_task(stretch(1))
    HOOK.clear()


async def traceback():
    """In debug mode a handle tells the program's line, not ours."""
    HOOK.switch_on()
    handle = asyncio.get_running_loop().call_soon(int)
    if KIND == "debug":
        last = handle._source_traceback[-1]
        assert (last.name, Path(last.filename).name) == ("traceback", "timed.py"), last
    else:
        assert handle._source_traceback is None


async def ignored():
    """The console's own loop is not timed."""
    HOOK.switch_on(0.001)
    BOOK.ignore(asyncio.get_running_loop())
    await asyncio.create_task(stretch(1))
    assert HOOK.told().sites == ()
    assert not HOOK._meters


async def two_loops():
    """Loops of several threads are counted together, each by itself meanwhile."""
    HOOK.switch_on()
    threads = [threading.Thread(target=asyncio.run, args=(stretch(5),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        await asyncio.sleep(0.005)
    found = site("stretch")
    assert found.durations.count == 15
    assert HOOK._account._parts.keys() <= {thread.ident for thread in threads} | {
        threading.get_ident()
    }


async def many_threads():
    """Threads beyond a number count together."""
    account.MOST_THREADS = 2
    HOOK.switch_on()
    for _ in range(4):
        threads = [threading.Thread(target=asyncio.run, args=(stretch(1),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            await asyncio.sleep(0.005)
    assert len(HOOK._account._parts) <= 3
    assert site("stretch").durations.count >= 8


async def forks():
    """A forked child times nothing."""
    HOOK.switch_on()
    child = os.fork()
    if not child:
        status = 1
        with contextlib.suppress(BaseException):
            polls.forked()
            assert_off()
            status = 0
        os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert HOOK.on


async def unmeasured():
    """uvloop runs its callbacks in C, and it is said that they are not timed."""
    HOOK.switch_on()
    task = asyncio.create_task(stretch(2))
    BOOK.note(asyncio.get_running_loop())
    await task
    assert HOOK.told().unmeasured == (1,)
    assert HOOK.told().sites == ()
    assert HOOK.polls(task) is None


async def main(name):
    if KIND == "eager":
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    asyncio.get_running_loop().slow_callback_duration = 3600
    limits = account.MOST, account.MOST_THREADS, account.LOOKS, polls.MOST_TASKS
    try:
        await globals()[name]()
    finally:
        HOOK.clear()
        account.MOST, account.MOST_THREADS, account.LOOKS, polls.MOST_TASKS = limits
        assert_off()


for each in NAMES:
    if KIND == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
        loop.run_until_complete(main(each))
        loop.close()
    else:
        asyncio.run(main(each), debug=KIND == "debug")
