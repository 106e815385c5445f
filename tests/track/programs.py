"""Checks of the hooks inside one process; run on every interpreter and kind of loop.

``python programs.py KIND NAME`` runs one check; it prints nothing but what goes wrong.
No third party, and the syntax of Python 3.10.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import json
import sys
import threading
import weakref

from asyncconsole.capture.program import shared
from asyncconsole.capture.slices import finish
from asyncconsole.diagnose import confirm
from asyncconsole.track import tasks as track_tasks
from asyncconsole.track.tracker import tracker

KIND, NAME = sys.argv[1:3]
STOCK = {
    (cls, name): getattr(cls, name)
    for cls, names in (
        (asyncio.Lock, ("acquire", "release", "__aenter__", "__aexit__")),
        (asyncio.Semaphore, ("acquire", "release", "__aenter__", "__aexit__")),
        (asyncio.BoundedSemaphore, ("acquire", "release", "__aenter__", "__aexit__")),
        (asyncio.Condition, ("wait", "__aenter__", "__aexit__")),
        (asyncio.BaseEventLoop, ("create_task",)),
    )
    for name in names
}
OWN = {(cls, name): name in vars(cls) for cls, name in STOCK}
VARIABLE = contextvars.ContextVar("variable", default="unset")


def assert_off():
    """Every method is the one that was there before anything was patched."""
    for (cls, name), function in STOCK.items():
        assert getattr(cls, name) is function, (cls, name)
        assert (name in vars(cls)) == OWN[cls, name], (cls, name)
    registry = track_tasks._REGISTRY
    assert registry is None or "add" not in vars(registry)


def on(*, tasks=True, locks=False):
    return tracker().configure(tasks=tasks, locks=locks)


def capture():
    return finish(shared().capture())


def ended(name):
    (item,) = [item for item in tracker().ended() if item.name == name]
    return item


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


def end(tasks):
    # A function of its own: a task whose code cancels may be a timeout, and proves nothing.
    for task in tasks:
        task.cancel()


async def noop():
    await asyncio.sleep(0)  # an eager task that never waits is not seen before 3.14
    return 41


async def hang():
    await asyncio.Event().wait()


async def keywords():
    """Names, contexts and eager starts reach the task."""
    on()
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(noop(), name="named")
    assert task.get_name() == "named"
    assert await task == 41
    if sys.version_info >= (3, 11):
        context = contextvars.copy_context()
        context.run(VARIABLE.set, "seen")

        async def reads():
            return VARIABLE.get()

        assert await loop.create_task(reads(), context=context) == "seen"
    if sys.version_info >= (3, 14) and KIND != "uvloop":
        ran = []

        async def early():
            ran.append(1)

        eager = loop.create_task(early(), eager_start=True, name="early")
        assert ran
        assert eager.done()
        await turns()
        assert ended("early").outcome == "returned"
    unused = noop()
    try:
        loop.create_task(unused, nonsense=1)
    except TypeError:
        unused.close()
    else:
        raise AssertionError("a wrong keyword was swallowed")


async def eager_is_kept():
    """A task factory of the program's own, set before, still starts tasks at once."""
    if sys.version_info < (3, 12) or KIND == "uvloop":
        return  # uvloop passes that factory what it can't take (0.23)
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    on()
    ran = []

    async def work(item):
        ran.append(item)
        await asyncio.sleep(0)
        ran.append(item + 1)

    task = asyncio.create_task(work(1), name="eager")
    assert ran == [1]
    (frame, *_) = tracker().creation(task).frames
    assert frame.function.endswith("eager_is_kept"), frame
    await task
    on(tasks=False)
    asyncio.create_task(work(5))
    assert ran[-1] == 5
    loop.set_task_factory(None)


async def own_factories():
    """Factories set before and after are called, with what they were called before."""
    loop = asyncio.get_running_loop()
    calls = []

    def factory(loop, coro, **how):
        calls.append(how)
        return asyncio.Task(coro, loop=loop, **how)

    for when in ("before", "after"):
        tracker().configure(tasks=False)
        loop.set_task_factory(factory if when == "before" else None)
        on()
        tracker().note_loops()
        loop.set_task_factory(factory) if when == "after" else None
        count = len(calls)
        task = loop.create_task(hang(), name=when)
        assert len(calls) == count + 1
        assert task.get_name() == when
        if when == "before" or KIND != "uvloop" or sys.version_info < (3, 14):
            made = tracker().creation(task)
            assert made is not None, when
            if KIND != "uvloop":  # whose create_task has no frame to know a factory by
                assert made.frames[0].function.endswith("own_factories"), made.frames
        task.cancel()
        await turns()
        if when == "after":
            assert loop.get_task_factory() is factory
    tracker().configure(tasks=False)
    assert loop.get_task_factory() is factory
    loop.set_task_factory(None)


async def never_retrieved():
    """asyncio still says that nobody looked at an exception."""
    on()
    said = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: said.append(context["message"])  # the context has the task
    )

    async def boom():
        await asyncio.sleep(0)
        raise ValueError("lost")

    task = asyncio.create_task(boom(), name="boom")
    gone = weakref.ref(task)
    await turns()
    item = ended("boom")
    assert (item.outcome, item.exception) == ("raised", "ValueError: lost")
    assert item.raised.function.endswith("boom")
    del task
    gc.collect()
    assert gone() is None, "the ring keeps the task alive"
    assert said == ["Task exception was never retrieved"]


async def creation_chain():
    """Where a task was created, by whom, and how deep it is told."""
    on(tasks=3)

    def outer():
        return inner()

    def inner():
        return asyncio.create_task(hang(), name="child")

    async def parent():
        tasks.append(outer())
        await hang()

    tasks = []
    tasks.append(asyncio.create_task(parent(), name="parent"))
    await turns()
    snapshot = capture()
    known = {task.name: task for task in snapshot.tasks}
    child = known["child"]
    names = [frame.function.rpartition(".")[2] for frame in child.creation]
    assert names == ["inner", "outer", "parent"], names
    assert child.creator == known["parent"].id
    assert child.age >= 0
    assert child.created.endswith("Z")
    on(tasks=1)
    later = asyncio.create_task(hang())
    assert len(tracker().creation(later).frames) == 1
    for task in (later, *tasks):
        task.cancel()


async def gathered():
    """gather, wait_for, ensure_future and TaskGroup are told by the program's own line."""
    on(tasks=1)
    both = asyncio.gather(hang(), hang())
    tasks = [asyncio.ensure_future(hang()), asyncio.create_task(hang())]
    await turns()
    everyone = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert len(everyone) == 4
    for task in everyone:
        (frame,) = tracker().creation(task).frames
        assert frame.function.endswith("gathered"), frame
    both.cancel()
    for task in tasks:
        task.cancel()
    await asyncio.gather(both, *tasks, return_exceptions=True)


async def nothing_is_kept_alive():
    """A tracked task goes when the program lets go of it; the ring is bounded and counts."""
    on()

    class Result:
        def __repr__(self):
            raise AssertionError("the program's own repr was called")

    class Odd(Exception):
        def __str__(self):
            raise AssertionError("the program's own str was called")

    made = Result()
    gone = weakref.ref(made)

    async def returns(value):
        await asyncio.sleep(0)
        return value

    async def raises():
        await asyncio.sleep(0)
        raise Odd(Result())

    assert await asyncio.create_task(returns(made), name="returns") is made
    assert ended("returns").result == "<Result>"
    del made
    await turns()  # the callback that woke this task has it until the next turn
    gc.collect()
    assert gone() is None, gc.get_referrers(gone())
    with contextlib.suppress(Odd):
        await asyncio.create_task(raises(), name="raises")
    assert ended("raises").exception == "Odd: 1 arguments"
    for value, text in (
        ("x" * 1000, "… (1000 in all)"),
        ([Result()], "<list of 1>"),
        (10**5000, "bits>"),
        (None, "None"),
    ):
        task = asyncio.create_task(returns(value), name="value")
        await task
        assert tracker().ended()[-1].result.endswith(text), tracker().ended()[-1].result
    tasks = [weakref.ref(asyncio.create_task(noop())) for _ in range(20)]
    await turns()
    gc.collect()
    assert [task for task in tasks if task() is not None] == []


async def a_rush():
    """Of a rush the last ones are told, exactly counted; soon nothing of it is kept."""
    on()
    said = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: said.append((context["message"], threading.get_ident()))
    )

    async def fails():
        await asyncio.sleep(0)
        raise ValueError("one of many")

    tasks = [asyncio.create_task(noop(), name=f"noop-{i}") for i in range(500)]
    tasks.append(asyncio.create_task(fails(), name="fails"))
    await asyncio.wait(tasks)
    listed = tracker().ended()
    names = [item.name for item in listed]
    assert len(set(names)) == len(names) == 501, len(names)
    assert ended("fails").exception == "ValueError: one of many"
    assert ended("noop-0").exact
    # Debug mode takes so long for a task that it is no rush.
    assert KIND == "debug" or not all(item.exact for item in listed)
    assert ended("noop-400").result == "41"
    numbers = {item.name: item.id for item in listed}
    assert len(set(numbers.values())) == 501
    gone = [weakref.ref(task) for task in tasks]
    del tasks
    for i in range(2500):
        gone.append(weakref.ref(task := asyncio.create_task(noop(), name=f"later-{i}")))
        await task
        kept = sum(task() is not None for task in gone) if i % 500 == 499 else 0
        assert kept < 2000, kept
    del task
    status = tracker().status()
    assert status.ended + status.dropped == 3001, status
    assert status.ended <= 1000
    # Which of them came last is only known for those whose end was seen.
    assert ended("later-2499")
    hanging = [asyncio.create_task(hang(), name=f"hang-{i}") for i in range(200)]
    loop = asyncio.get_running_loop()
    end_at = loop.time() + 30
    while [task for task in gone if task() is not None] or tracker()._tasks.busy:
        await loop.run_in_executor(None, tracker().beat)
        await asyncio.sleep(0.01)
        gc.collect()
        assert loop.time() < end_at, sum(task() is not None for task in gone)
    assert {item.name: item.id for item in tracker().ended()}["later-2499"] > 0
    assert said == [("Task exception was never retrieved", threading.get_ident())]
    end(hanging)
    await turns()
    assert ended("hang-199").exact
    assert ended("hang-199").outcome == "cancelled"
    assert not tracker()._tasks.busy


async def cancellers():
    """Who cancelled: the console when it was, else unknown."""
    on()
    first, second = (asyncio.create_task(hang(), name=name) for name in ("a", "b"))
    await turns()
    first.cancel()
    tracker().note_cancel(second)
    second.cancel()
    await turns()
    assert ended("a").cancelled_by == "unknown"
    assert ended("b").cancelled_by == "console"
    if KIND == "asyncio":

        async def leaves():
            asyncio.create_task(hang(), name="left")
            await asyncio.sleep(0)

        await asyncio.get_running_loop().run_in_executor(None, asyncio.run, leaves())
        assert ended("left").cancelled_by == "asyncio.run, at its end"


async def explicit_deadlock():
    """Two explicit acquires in a circle: proven when tracked, and only then."""
    locks = asyncio.Lock(), asyncio.Lock()

    async def move(first, second):
        await first.acquire()
        try:
            await asyncio.sleep(0)
            await second.acquire()
            second.release()
        finally:
            first.release()

    for tracked in (False, True):
        on(tasks=False, locks=tracked)
        tasks = [
            asyncio.create_task(move(*locks), name="a"),
            asyncio.create_task(move(*reversed(locks)), name="b"),
        ]
        await turns(10)
        first = capture()
        second = capture()
        proven = [item for item in confirm(first, second).findings if item.proven]
        if tracked:
            (finding,) = proven
            assert finding.kind == "lock_cycle"
            assert sorted(finding.cycle) == ["a", "b"]
            for item in second.resources:
                (holder,) = item.holders
                assert (holder.how, holder.certain, holder.exact) == ("tracked", True, True)
                assert holder.function.endswith("move")
                assert holder.line == move.__code__.co_firstlineno + 1
        else:
            assert proven == []
        end(tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
    assert not any(lock.locked() for lock in locks)


async def a_signal_is_no_deadlock():
    """A lock that one task takes and another gives back proves nothing."""
    on(tasks=False, locks=True)
    lock = asyncio.Lock()
    go = asyncio.Event()

    async def waits():
        await lock.acquire()
        await lock.acquire()
        lock.release()

    async def gives():
        await go.wait()
        lock.release()

    tasks = [asyncio.create_task(waits(), name="waits"), asyncio.create_task(gives(), name="gives")]
    await turns(10)
    first = capture()
    found = confirm(first, capture()).findings
    assert [item for item in found if item.proven] == [], found
    go.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 10)


async def acquired_in_a_rush():
    """Explicit acquires faster than all of them can be written down: the owner is exact."""
    on(tasks=False, locks=True)
    busy, first, second = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
    me = asyncio.current_task()

    async def move(one, other):
        await one.acquire()
        try:
            await asyncio.sleep(0)
            await other.acquire()
            other.release()
        finally:
            one.release()

    for _ in range(600):
        await busy.acquire()
        (owner,) = tracker().owners(busy)
        assert owner.task is me
        busy.release()
        assert tracker().owners(busy) == []
    await busy.acquire()
    (owner,) = tracker().owners(busy)
    assert (owner.task, owner.site, owner.since) == (me, None, None)
    tasks = [
        asyncio.create_task(move(first, second), name="a"),
        asyncio.create_task(move(second, first), name="b"),
    ]
    await turns(10)
    before = capture()
    snapshot = capture()
    cycle = [item for item in snapshot.resources if item.waiters and item.holders]
    assert len(cycle) == 2
    for item in cycle:
        (holder,) = item.holders
        assert (holder.how, holder.certain, holder.exact) == ("tracked", True, False)
        assert holder.line == move.__code__.co_firstlineno + 1
    (finding,) = [item for item in confirm(before, snapshot).findings if item.proven]
    assert finding.kind == "lock_cycle"
    # Off and on again: what was recorded bare is not taken for the truth of another time.
    on(tasks=False, locks=False)
    busy.release()
    await busy.acquire()
    on(tasks=False, locks=True)
    assert tracker().owners(busy) == []
    busy.release()
    end(tasks)
    await asyncio.gather(*tasks, return_exceptions=True)
    # A function that has returned, and no line of it recorded.
    gate = asyncio.Lock()

    async def take():
        await gate.acquire()

    async def work():
        for _ in range(600):
            await busy.acquire()
            busy.release()
        await take()
        await hang()

    task = asyncio.create_task(work(), name="work")
    await turns()
    (item,) = [item for item in capture().tasks if item.name == "work"]
    (hold,) = item.holds
    assert (hold.how, hold.certain, hold.file, hold.line) == ("tracked", True, "", 0)
    end([task])


async def locks_work():
    """Everything a lock does it still does: order, cancellation, errors, Conditions."""
    on(tasks=False, locks=True)
    lock = asyncio.Lock()
    order = []

    async def take(name):
        async with lock:
            order.append(name)
            await asyncio.sleep(0)

    async with lock:
        tasks = [asyncio.create_task(take(name)) for name in "abcd"]
        await turns()
        tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["a", "c", "d"]
    assert not lock.locked()
    assert asyncio.iscoroutinefunction(lock.acquire) if sys.version_info < (3, 14) else True
    try:
        lock.release()
    except RuntimeError:
        pass
    else:
        raise AssertionError("a lock that nobody has was released")
    condition = asyncio.Condition()
    waiting = asyncio.create_task(condition_waits(condition))
    await turns()
    async with condition:
        condition.notify_all()
    assert await waiting == "notified"
    gate = asyncio.BoundedSemaphore(2)
    await gate.acquire()
    async with gate:
        assert gate.locked()
        owners = tracker().owners(gate)
        assert [owner.task for owner in owners] == [asyncio.current_task()] * 2
        late = asyncio.create_task(gate.acquire())
        await turns()
        assert not late.done()
        gate.release()
        await late
    gate.release()
    assert tracker().owners(gate) == []
    try:
        gate.release()
    except ValueError:
        pass
    else:
        raise AssertionError("more permits than there were")

    class Mine(asyncio.Lock):
        async def acquire(self):
            order.append("mine")
            return await super().acquire()

    async with Mine():
        pass
    assert order[-1] == "mine"


async def condition_waits(condition):
    async with condition:
        await condition.wait()
        (owner,) = tracker().owners(condition._lock)
        assert owner.task in (None, asyncio.current_task())
        return "notified"


async def held_with_nobody_waiting():
    """A lock that a function took and left locked is listed, with the line."""
    on(tasks=False, locks=True)
    lock = asyncio.Lock()

    async def take():
        await lock.acquire()

    async def work():
        await take()
        await hang()

    task = asyncio.create_task(work(), name="work")
    await turns()
    snapshot = capture()
    (item,) = [item for item in snapshot.tasks if item.name == "work"]
    (hold,) = item.holds
    assert (hold.how, hold.frame, hold.certain) == ("tracked", -1, True)
    assert hold.line == take.__code__.co_firstlineno + 1
    lock.release()
    (item,) = [item for item in capture().tasks if item.name == "work"]
    assert item.holds == ()
    task.cancel()


async def any_order():
    """Hooks of others, put on before and after ours, taken off in any order."""
    calls = []

    def wrap(cls, name, label):
        before = getattr(cls, name)

        async def wrapped(self, *args):
            calls.append(label)
            return await before(self, *args)

        setattr(cls, name, wrapped)
        return lambda: setattr(cls, name, before)

    stock = asyncio.Lock.acquire
    earlier_off = wrap(asyncio.Lock, "acquire", "earlier")
    on(locks=True)
    later_off = wrap(asyncio.Lock, "acquire", "later")
    async with asyncio.Lock() as _:
        assert calls == ["later", "earlier"], calls
    on(tasks=False, locks=False)  # below somebody's: it can't come off, and does nothing
    lock = asyncio.Lock()
    async with lock:
        assert calls[2:] == ["later", "earlier"], calls
        assert tracker().owners(lock) == []
    later_off()
    async with lock:
        pass
    earlier_off()
    asyncio.Lock.acquire = stock
    assert_off()
    on(locks=True)
    lock = asyncio.Lock()
    await lock.acquire()
    (owner,) = tracker().owners(lock)
    assert owner.task is asyncio.current_task()
    lock.release()


async def on_and_off():
    """What was recorded in an earlier time is not taken for the truth later."""
    on(locks=True)
    lock = asyncio.Lock()
    await lock.acquire()
    tracker().configure(tasks=False, locks=False)
    assert_off()
    lock.release()
    await lock.acquire()
    on(locks=True)
    assert tracker().owners(lock) == []
    lock.release()
    task = asyncio.create_task(hang())
    assert tracker().creation(task) is not None
    on(tasks=False)
    untracked = asyncio.create_task(hang())
    on()
    assert tracker().creation(untracked) is None
    for each in (task, untracked):
        each.cancel()


def main():
    if KIND == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
        loop.set_debug(KIND == "debug")
        loop.slow_callback_duration = 60.0  # a busy machine is no finding here
        if KIND == "eager":
            loop.set_task_factory(asyncio.eager_task_factory)
    asyncio.set_event_loop(loop)
    shared().loops.note(loop)
    assert_off()
    try:
        loop.run_until_complete(globals()[NAME]())
    finally:
        tracker().close()
    assert_off()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(turns())
    loop.close()
    json.dump("done", sys.stdout)


if __name__ == "__main__":
    main()
