"""What is told of the past and of what nobody lists, checked in the interpreter that runs this."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import sys
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import asyncconsole
from asyncconsole.capture import autopsy, complaints, history
from asyncconsole.capture.autopsy import leftovers
from asyncconsole.capture.program import Program, shared
from asyncconsole.capture.roll import Roll
from asyncconsole.capture.slices import finish
from asyncconsole.model.ended import joined
from asyncconsole.serve.past import Past

CHECKS = {}
SAID = []


class Collect(logging.Handler):
    def emit(self, record):
        SAID.append(record.getMessage())


def check(function):
    CHECKS[function.__name__] = function
    return function


def told(program=None):
    """What the scan finds, read in this process."""
    lines = b"".join(autopsy.tell(program or Program(Roll()), (leftovers.SCAN,)))
    found = autopsy.read(lines, (leftovers.SCAN,))
    assert found.gaps == (), found.gaps
    return found


async def fails():
    await asyncio.sleep(0.01)
    raise KeyError(900)


async def rests():
    await asyncio.get_running_loop().create_future()


@check
async def ends_are_seen_without_a_patch():
    past = history.History(Roll().tasks.of)
    kept = asyncio.create_task(fails(), name="kept")
    lost = asyncio.create_task(asyncio.sleep(0.01), name="lost")
    cancelled = asyncio.create_task(rests(), name="cancelled")
    await asyncio.sleep(0)
    past.look([kept, lost, cancelled])
    cancelled.cancel()
    await asyncio.wait([kept, lost, cancelled])
    del lost
    past.check()
    found = {item.name: item for item in past.ended()}
    assert found["kept"].outcome == "raised"
    assert found["kept"].exception == "KeyError: 900"
    assert (found["kept"].raised.function, found["kept"].coro) == ("fails", "fails")
    assert found["lost"].outcome == "gone"
    assert found["cancelled"].outcome == "cancelled"
    assert past.dropped == 0
    assert kept.exception() is not None


@check
async def nothing_is_kept_alive_and_asyncio_still_complains():
    past = history.History(Roll().tasks.of)
    heard = complaints.Complaints(Roll().tasks.fresh)
    heard.install()
    try:
        task = asyncio.create_task(fails(), name='it\'s "odd"')
        await asyncio.sleep(0)
        past.look([task])
        del task
        await asyncio.sleep(0.05)
        past.check()
        gc.collect()
        assert [text for text in SAID if text.startswith(complaints.NEVER_READ)], SAID
        (item,) = heard.ended()
        assert (item.name, item.coro, item.outcome) == ('it\'s "odd"', "fails", "raised")
        assert item.exception == "KeyError: 900"
        assert item.raised.function == "fails"
        (seen,) = past.ended()
        (one,) = joined([[seen]], [item])
        assert (one.id, one.outcome) == (seen.id, "raised")
        assert heard.ended() == [item]
    finally:
        heard.remove()
    assert not logging.getLogger("asyncio").filters


@check
async def a_destroyed_task_is_told():
    heard = complaints.Complaints(Roll().tasks.fresh)
    heard.install()
    try:
        asyncio.create_task(rests(), name="forgotten")
        await asyncio.sleep(0)
        gc.collect()
        (item,) = heard.ended()
        assert (item.name, item.outcome, item.coro) == ("forgotten", "destroyed", "rests")
        assert Path(item.raised.file).name == "past_child.py"
    finally:
        heard.remove()


@check
async def a_record_that_is_odd_passes():
    heard = complaints.Complaints(Roll().tasks.fresh)
    log = logging.getLogger("asyncio")
    for message, args in (
        (complaints.DESTROYED, ()),
        (object(), ()),
        ("%s %s", (1, 2)),
        (None, ()),
    ):
        record = log.makeRecord("asyncio", 40, "f", 1, message, args, None)
        assert heard.filter(record) is True
    (item,) = heard.ended()
    assert (item.name, item.coro, item.outcome) == ("?", "?", "destroyed")


@check
async def the_filter_comes_off():
    for _ in range(2):
        console = asyncconsole.start(port=0, unix_socket=False)
        assert len(logging.getLogger("asyncio").filters) == 1
        console.close()
        assert not logging.getLogger("asyncio").filters


@check
async def looks_come_as_often_as_they_may():
    past = Past(shared())
    try:
        assert past.look()
        assert not past.look()
        task = asyncio.create_task(fails(), name="short")
        await asyncio.wait([task])
        time.sleep(0.2)
        past._due = 0.0
        assert past.look()
        assert all(item.name != "short" for item in past.ended(()))  # it came and went between
    finally:
        past.close()
    assert past.ended(()) == []
    assert task.exception() is not None


KEPT = []


class Session:
    def __init__(self):
        self.hooks = []
        self.lock = asyncio.Lock()

    async def close(self):
        await asyncio.sleep(0)

    async def rows(self):
        async with self.lock:
            for row in range(3):
                yield row

    @contextlib.asynccontextmanager
    async def held(self):
        async with self.lock:
            yield


@check
async def a_coroutine_that_never_started_is_told():
    KEPT.append(Session())
    KEPT[0].hooks.append(KEPT[0].close())
    try:
        (item,) = [one for one in told().unstarted if one.function.endswith("close")]
        assert (item.kept, item.dropped, item.hands) == ("Session.hooks", False, ())
    finally:
        KEPT.pop().hooks.pop().close()


@check
async def what_is_about_to_run_is_not():
    session = Session()
    started = session.close()
    asyncio.get_running_loop().call_later(60, asyncio.ensure_future, started)
    task = asyncio.create_task(session.close())
    assert [one for one in told().unstarted if one.function.endswith("close")] == []
    await task
    started.close()


@check
async def a_coroutine_at_hand_is_told_so():
    session = Session()
    program = Program(Roll())

    async def runs(plans):
        await asyncio.sleep(0.2)
        for plan in plans:
            await plan

    async def counts(plans):
        await asyncio.sleep(0.2)
        return len(plans)

    plans = [session.close()]
    tasks = [asyncio.create_task(runs(plans)), asyncio.create_task(counts(plans))]
    await asyncio.sleep(0)
    finish(program.capture())
    (item,) = [one for one in told(program).unstarted if one.function.endswith("close")]
    (me, first, second) = map(
        program.tasks.known, [asyncio.current_task(), *tasks]
    )  # this task has `plans` as well, and makes tasks
    assert set(item.hands) == {me, first}, (item, second)
    await asyncio.wait(tasks)


@check
async def a_dropped_coroutine_is_told_by_pythons_warning():
    with warnings.catch_warnings(), contextlib.redirect_stderr(None):
        warnings.simplefilter("default")
        warnings.showwarning = lambda *_, **__: None
        Session().close()
        gc.collect()
    (item,) = [one for one in told().unstarted if one.dropped]
    assert item.function == "Session.close"
    assert "Session().close()" in Path(item.file).read_text().splitlines()[item.line - 1]


@check
async def a_generator_left_open_is_told():
    session = Session()
    program = Program(Roll())
    number = program.things.of(session.lock)
    session.cursor = session.rows()
    await session.cursor.__anext__()
    (item,) = told(program).generators
    assert (item.function, item.kept) == ("Session.rows", "Session.cursor")
    assert [held for held, _ in item.holds] == [f"L{number}"]
    await session.cursor.aclose()
    assert told(program).generators == ()


@check
async def a_generator_in_use_is_not():
    session = Session()
    program = Program(Roll())
    program.things.of(session.lock)

    async def iterates():
        async for _ in session.rows():
            await rests()

    async def enters():
        async with session.held():
            await rests()

    async def stacks():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(session.held())
            await rests()

    for way in (iterates, enters, stacks):
        task = asyncio.create_task(way())
        await asyncio.sleep(0.01)
        assert session.lock.locked()
        assert told(program).generators == (), way
        task.cancel()
        await asyncio.wait([task])


@check
async def an_ended_task_that_is_kept_is_told():
    task = asyncio.create_task(fails(), name="job:1")
    await asyncio.wait([task])
    (item,) = [one for one in told().ended if one.name == "job:1"]
    assert (item.outcome, item.exception, item.raised.function) == (
        "raised",
        "KeyError: 900",
        "fails",
    )
    assert task._log_traceback
    assert task.exception() is not None


def main():
    handler = Collect()
    log = logging.getLogger("asyncio")
    log.addHandler(handler)
    log.propagate = False
    failed = {}
    for name, function in CHECKS.items():
        SAID.clear()
        try:
            asyncio.run(function())
        except BaseException:
            failed[name] = traceback.format_exc()
    print(json.dumps({"ran": len(CHECKS), "failed": failed}))


main()
