"""Rules about cancellations, hung children, open generators and what was never awaited."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asyncconsole.diagnose import confirm
from asyncconsole.model import Frame, Wait
from asyncconsole.model.autopsy import Autopsy, Routine, Wakes
from asyncconsole.model.ended import Ended, joined
from asyncconsole.model.leftovers import OpenGenerator, Unstarted
from tests.diagnose.build import await_wait, lock_wait, moved, snapshot, task

HANDLER = Frame("app.py", 9, "work")


def stream(token=7, since=5.0, due=None):
    return Wait("stream", "stream from 10.0.0.1:80", since=since, token=token, due=due)


def gathers(*tasks, done=11, kind="gather", due=None):
    found = await_wait(*tasks, token=1, kind=kind, needs="all_or_error")
    return replace(found, pending=len(tasks), total=done + len(tasks), due=due)


def kinds(first, second=None):
    return [(item.kind, item.verdict) for item in confirm(first, second or first).findings]


def poller(**more):
    wait = Wait("timer", "timer", since=1.0, token=5, due=0.1)
    asked = {"cancelling": 1, "catches": HANDLER, "awaited_by": (2,), **more}
    return snapshot(
        task(1, "poller", wait, **asked), task(2, "shutdown", await_wait(1, token=6), awaited_by=())
    )


def test_a_swallowed_cancellation_is_a_suspect_though_the_task_moves():
    found = confirm(poller(), moved(poller(), 1)).findings
    assert [(item.kind, item.verdict) for item in found] == [("cancel_swallowed", "suspect")]
    assert found[0].ids("stuck") == (1,)
    assert found[0].ids("victim") == (2,)
    assert "app.py:9" in found[0].summary


@pytest.mark.parametrize(
    "more", [{"cancelling": 0}, {"catches": None}, {"awaited_by": ()}], ids=str
)
def test_without_a_request_a_handler_or_an_awaiter_there_is_none(more):
    assert kinds(poller(**more)) == []


def test_a_cancellation_swallowed_only_now_is_not_told():
    assert kinds(poller(cancelling=0), moved(poller(), 1)) == []


def test_work_shielded_again_and_again_has_a_kind_of_its_own():
    found = snapshot(
        task(1, "flush", await_wait(3, token=5, kind="shield"), cancelling=4, catches=HANDLER,
             awaited_by=(2,)),
        task(2, "stop", await_wait(1, token=6)),
        task(3, "inner", stream()),
    )  # fmt: skip
    (item,) = confirm(found, found).findings
    assert (item.kind, item.ids("stuck"), item.ids("cause")) == ("shield_misuse", (1,), (3,))
    assert "4 times" in item.summary


@pytest.mark.parametrize(
    ("child", "parent", "told"),
    [
        (stream(), gathers(1), True),
        (stream(), gathers(1, kind="wait"), True),
        (stream(since=0.5), gathers(1), False),
        (stream(due=3.0), gathers(1), False),
        (stream(), gathers(1, done=2), False),
        (stream(), gathers(1, due=3.0), False),
        (Wait("executor", "job", since=9.0, token=7), gathers(1), False),
    ],
)
def test_the_one_child_that_hangs(child, parent, told):
    found = snapshot(task(1, "fetch:7", child, awaited_by=(2,)), task(2, "batch", parent))
    assert kinds(found) == ([("gather_hung_child", "suspect")] if told else [])
    assert kinds(found, moved(found, 1)) == []


def waiting(autopsy, *, since=5.0):
    wait = replace(lock_wait("L1", token=4), since=since)
    found = snapshot(task(1, "insert", wait))
    (lock,) = found.resources
    return replace(found, resources=(replace(lock, locked=True),), autopsy=autopsy)


ALONE = Wakes(tasks=((1, 4, 10, ()),))
"""Nothing but the task itself leads to the future that it waits for."""

OUTSIDE = Wakes(tasks=((1, 4, 10, ()),), outside=(10,))


@pytest.mark.parametrize(("wakes", "verdict"), [(ALONE, "deadlock"), (OUTSIDE, "suspect")])
def test_a_generator_that_was_left_open(wakes, verdict):
    rows = OpenGenerator("rows", "app.py", 21, (("L1", 19),), "Report.cursor")
    found = waiting(Autopsy(wakes=wakes, generators=(rows,)))
    (item,) = confirm(found, found).findings
    assert (item.kind, item.verdict) == ("async_generator_cleanup", verdict)
    assert item.proven == (verdict == "deadlock")
    assert "`rows`" in item.summary
    assert any("Report.cursor" in line for line in item.evidence)


def test_a_generator_that_may_soon_go_on_is_none():
    rows = OpenGenerator("rows", "app.py", 21, (("L1", 19),))
    assert kinds(waiting(Autopsy(wakes=OUTSIDE, generators=(rows,)), since=0.2)) == []


def ended(number, name, outcome, exception="", coro="work"):
    return Ended(number, name, coro, outcome, "", exception, "", None, f"2026-0{number}", None)


def test_an_abandoned_lock_names_who_took_it():
    job = Routine("app.py", 1, "job", (("L1", "acquire", 2), ("L1", "release", 5)))
    found = waiting(Autopsy(wakes=ALONE, routines=(job,)))
    gone = (
        ended(7, "job:0", "returned", coro="job"),
        ended(8, "job:1", "raised", "KeyError: 1", "job"),
    )
    found = replace(found, ended=gone)
    (item,) = confirm(found, found).findings
    assert (item.kind, item.verdict) == ("abandoned_lock", "deadlock")
    assert "job:1" in item.summary
    assert "KeyError" in item.summary
    assert item.ids("cause") == (8, 7)


def on_event(autopsy, **more):
    wait = Wait("event", "READY", "Event", resource="L1", since=5.0, token=4)
    found = snapshot(task(1, "start", wait), *more.pop("others", ()), kinds={"L1": "Event"})
    (event,) = found.resources
    return replace(found, resources=(replace(event, name="READY", permits=None),), autopsy=autopsy)


SETS = Routine("app.py", 30, "announce", (("READY", "set", 31),))


def test_a_coroutine_that_would_set_the_event_was_never_awaited():
    item = Unstarted("announce", "app.py", 30, kept="App.hooks")
    found = on_event(Autopsy(wakes=ALONE, routines=(SETS,), unstarted=(item,)))
    assert kinds(found) == [("unawaited_coroutine", "deadlock")]
    dropped = replace(item, dropped=True)
    found = on_event(Autopsy(wakes=ALONE, routines=(SETS,), unstarted=(dropped,)))
    assert kinds(found) == [("unawaited_coroutine", "deadlock")]


def test_one_that_a_task_has_at_hand_is_not_the_cause():
    item = Unstarted("announce", "app.py", 30, hands=(3,))
    runs = task(3, "runs", Wait("timer", "timer", since=1.0, token=9, due=1.0))
    autopsy = Autopsy(wakes=ALONE, routines=(SETS,), unstarted=(item,))
    assert ("unawaited_coroutine", "deadlock") not in kinds(on_event(autopsy, others=(runs,)))


def test_the_task_that_would_set_the_event_was_collected():
    found = on_event(Autopsy(wakes=ALONE, routines=(SETS,)))
    found = replace(found, ended=(ended(9, "warm", "destroyed", coro="announce"),))
    (item,) = confirm(found, found).findings
    assert (item.kind, item.ids("cause")) == ("task_garbage_collected", (9,))
    assert "garbage collected" in item.summary


def test_what_several_sources_tell_of_one_task_is_told_once():
    tracked = [ended(1, "a", "raised", "KeyError: 1")]
    seen = [ended(1, "a", "gone"), ended(2, "b", "gone"), ended(3, "c", "gone")]
    heard = [ended(7, "a", "raised", "KeyError: 1"), ended(8, "b", "raised", "KeyError: 2")]
    found = {item.id: (item.name, item.outcome) for item in joined([tracked, seen], heard)}
    assert found == {1: ("a", "raised"), 2: ("b", "raised"), 3: ("c", "gone")}
