"""Tasks of which the code tells what they can still come to; prints it as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json

from asyncconsole.capture import autopsy
from asyncconsole.capture.program import Program


class Thing:
    """What they use."""

    def __init__(self):
        self.early, self.late, self.never = asyncio.Event(), asyncio.Event(), asyncio.Event()


async def pause():
    await asyncio.get_running_loop().create_future()


async def forever():
    while True:
        await pause()


async def helper():
    await pause()


async def straight(thing):
    thing.early.set()
    await pause()
    thing.late.set()


async def goes_round(thing):
    while True:
        thing.early.set()
        await pause()


async def over_and_over(thing):
    for _ in range(3):
        thing.early.set()
        await pause()
    thing.late.set()


async def behind_an_endless_call(thing):
    await forever()
    thing.late.set()


async def behind_a_call_that_ends(thing):
    await pause()
    thing.late.set()


async def in_the_end(thing):
    try:
        await forever()
        thing.never.set()
    finally:
        thing.late.set()


async def caught(thing):
    try:
        await forever()
    except OSError:
        thing.early.set()
    thing.late.set()


@contextlib.asynccontextmanager
async def manager():
    yield


async def inside():
    async with manager():
        await pause()


async def has_made_a_task(kept):
    kept.append(asyncio.create_task(helper()))
    other = asyncio.create_task(helper())
    await pause()
    return other


async def has_put_away():
    later = helper
    await pause()
    await later()


async def has_stored():
    coroutine = helper()
    try:
        await pause()
    finally:
        coroutine.close()


async def calls_later():
    await pause()
    await helper()


async def main():
    thing, kept = Thing(), []
    those = (
        straight, goes_round, over_and_over, behind_an_endless_call, behind_a_call_that_ends,
        in_the_end, caught,
    )  # fmt: skip
    coroutines = [make(thing) for make in those] + [
        inside(),
        has_made_a_task(kept),
        has_put_away(),
        has_stored(),
        calls_later(),
    ]
    tasks = [asyncio.create_task(one, name=one.__name__) for one in coroutines]
    for _ in range(3):
        await asyncio.sleep(0)
    program = Program()
    capture = program.capture()
    with contextlib.suppress(StopIteration):
        while True:
            next(capture)
    names = {program.tasks.known(task): task.get_name() for task in tasks}
    found = autopsy.read(b"".join(autopsy.tell(program)))
    assert not found.gaps, found.gaps
    told = {
        names[number]: {
            "uses": sorted(
                {owner for one in those for owner, method, _ in one.uses if method == "set"}
            ),
            "helper": any("helper" in one.calls for one in those),
            "manager": any("manager" in one.calls for one in those),
        }
        for numbers, those in found.ahead
        for number in numbers
        if number in names
    }
    print(json.dumps(told), flush=True)
    for task in (*tasks, *kept):
        task.cancel()
    await asyncio.wait(tasks)


asyncio.run(main())
