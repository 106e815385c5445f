"""Every construct around ``with`` that code is written in, each run step by step.

Run as a program: prints one JSON object, name of the construct to what was seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json

from asyncconsole.capture.exits import async_iterators, exits_in_force
from tests.capture import (  # noqa: F401  they register their constructs
    constructs_blocks,
    constructs_frames,
    constructs_managers,
    constructs_pending,
)
from tests.capture.construct import CASES, PARTLY
from tests.capture.recorded import House, drive, pause


def as_tasks(debug):
    """The same under asyncio, where tasks resume the frames; in debug mode too."""
    house = House()

    async def main():
        asyncio.get_running_loop().set_debug(debug)
        lock = asyncio.Lock()
        condition = asyncio.Condition()
        semaphore = asyncio.Semaphore(2)
        other = asyncio.Event()
        reached = asyncio.Event()

        async def holder():
            async with lock, semaphore, condition:
                reached.set()
                await other.wait()

        async def waiter():
            async with lock:
                await pause()

        async def notified():
            async with condition:
                await condition.wait()

        tasks = [asyncio.ensure_future(one()) for one in (holder, waiter)]
        await reached.wait()
        await asyncio.sleep(0)
        coroutines = [task.get_coro() for task in tasks]
        house.frames = [(coroutines[0], [lock, semaphore, condition]), (coroutines[1], [])]
        house.compare("asyncio")
        other.set()
        await tasks[0]
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        task = asyncio.ensure_future(notified())
        await asyncio.sleep(0)
        house.frames = [(task.get_coro(), [condition])]
        house.compare("condition")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    return house


def iterators():
    """What `async_iterators` says of a loop's body, of its head, and outside of it."""
    found = {}

    async def numbers():
        for number in range(2):
            await pause()
            yield number

    async def run(generators):
        await pause()
        async for _ in generators[0]:
            async for _ in generators[1]:
                await pause()
            break
        await pause()
        async with House().m("a", enter=0):
            [x async for x in generators[2]]
            iter(generators)
            await pause()

    generators = [numbers() for _ in range(4)]
    coroutine = run(generators)
    seen = []
    while True:
        try:
            coroutine.send(None)
        except StopIteration:
            break
        got = async_iterators(coroutine)
        seen.append([[a is b for b in generators].index(True) for a in got])
    found["seen"] = seen
    return found


def unreadable():
    """What gives None, without an error."""
    answers = {}

    async def ended():
        pass

    coroutine = ended()
    answers["created"] = exits_in_force(coroutine) == []
    with contextlib.suppress(StopIteration):
        coroutine.send(None)
    answers["finished"] = exits_in_force(coroutine) is None
    for thing in (None, 3, ended, object(), pause, type, asyncio):
        answers[repr(type(thing))] = exits_in_force(thing) is None and async_iterators(thing) == []

    async def itself():
        async with House().m("a", enter=0):
            answers["running"] = exits_in_force(me) is None
            await pause()

    me = itself()
    me.send(None)
    answers["suspended"] = len(exits_in_force(me)) == 1
    with contextlib.suppress(StopIteration):
        while True:
            me.send(None)

    async def created():
        async with House().m("a"):
            pass

    new = created()
    answers["created with"] = exits_in_force(new) == []
    new.close()
    return answers


def references():
    """Reading a frame keeps nothing alive."""

    class Manager:
        async def __aenter__(self):
            return None

        async def __aexit__(self, *exc):
            pass

    async def run():
        async with Manager():
            await pause()

    def objects():
        gc.collect()
        return sum(type(item) is Manager for item in gc.get_objects())

    coroutine = run()
    coroutine.send(None)
    exits = exits_in_force(coroutine)
    assert len(exits) == 1
    del exits
    inside = objects()
    with contextlib.suppress(StopIteration):
        coroutine.send(None)
    return {"inside": inside, "after": objects()}


def main():
    report = {}
    for name, function in CASES.items():
        house = House()
        coroutine = function(house)
        house.watch(coroutine, house.held)
        drive(house, coroutine)
        report[name] = {**house.seen, "false": house.false, "notes": house.notes[:5]}
    for debug in (False, True):
        house = as_tasks(debug)
        report[f"as tasks, debug={debug}"] = {
            **house.seen,
            "false": house.false,
            "notes": house.notes,
        }
    print(
        json.dumps(
            {
                "cases": report,
                "partly": PARTLY,
                "iterators": iterators(),
                "unreadable": unreadable(),
                "references": references(),
            }
        )
    )


if __name__ == "__main__":
    main()
