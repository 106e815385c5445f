"""What is said of loops that do not run their callbacks, from snapshots built by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asyncconsole.diagnose import confirm, rules
from asyncconsole.diagnose import verdict as verdicts
from asyncconsole.diagnose.stalled import culprit
from asyncconsole.model import Finding, Frame, Loop, Stall
from asyncconsole.model.busy import Busy
from asyncconsole.model.stall import turn
from tests.diagnose.build import lock_wait, snapshot, task

LOOP = (
    Frame("/lib/asyncio/base_events.py", 600, "BaseEventLoop.run_forever", own=False, kind="call"),
    Frame("/lib/asyncio/base_events.py", 1900, "BaseEventLoop._run_once", own=False, kind="call"),
    Frame("/lib/asyncio/events.py", 80, "Handle._run", own=False, kind="call"),
)
FETCH = Frame("weather.py", 31, "fetch", kind="call")


def stall(number=1, **more):
    given = {
        "id": number,
        "loop": 1,
        "started_at": "2026-01-01T00:00:00Z",
        "duration": 4.1,
        "ongoing": True,
        "kind": "blocking_call",
        "task": 1,
        "task_name": "weather:fetch",
        "frame": FETCH,
        "call": "sock.recv",
        "stack": (*LOOP, FETCH),
        "samples": 12,
        "late": 3,
    }
    return Stall(**{**given, **more})


def blocked(*stalls, tasks=4, at="2026-01-01T00:00:04.100000+00:00"):
    made = snapshot(
        task(1, "weather:fetch"), *(task(n, f"t{n}", lock_wait("L1", token=n)) for n in (2, 3))
    )
    loop = Loop(1, "asyncio.Loop", thread="MainThread", running=True, tasks=tasks)
    return replace(made, stalls=stalls, loops=(loop,), taken_at=at)


def verdict(found):
    return confirm(found, found).findings


def test_a_blocking_call_names_task_call_line_and_who_waits():
    (found,) = verdict(blocked(stall()))
    assert (found.verdict, found.kind, found.proven) == ("stall", "blocking_call", False)
    assert found.summary == (
        "The loop has been blocked for 4.1 s by weather:fetch (1) in sock.recv at "
        "weather.py:31 in fetch; its 3 other tasks and 3 callbacks that could run wait"
    )
    assert found.ids("culprit") == (1,)
    assert found.ids("victim") == (2, 3)
    assert "asynchronous client" in found.fix
    assert found.stall_ids == (1,)


@pytest.mark.parametrize(
    ("call", "fix"),
    [
        ("time.sleep", "asyncio.sleep"),
        ("subprocess.run", "create_subprocess_exec"),
        ("requests.get", "asynchronous client"),
        ("self._lock.acquire", "asyncio.Lock"),
        ("with LOCK", "asyncio.Lock"),
        ("future.result", "wrap_future"),
        ("thread.join", "to_thread"),
        ("path.read_text", "files block"),
        ("anything", "to_thread"),
        ("", "to_thread"),
    ],
)
def test_the_fix_fits_the_call(call, fix):
    (found,) = verdict(blocked(stall(call=call)))
    assert fix in found.fix


def test_computing_and_the_gil_have_kinds_of_their_own():
    computing = stall(1, kind="cpu_bound", call="", cpu=0.98)
    gil = stall(2, kind="gil_holding_c_call", call="re.search", ongoing=False, duration=1.0)
    first, second = verdict(blocked(computing, gil))
    assert {first.kind, second.kind} == {"cpu_bound", "gil_holding_c_call"}
    by_kind = {item.kind: item for item in (first, second)}
    assert "ProcessPoolExecutor" in by_kind["cpu_bound"].fix
    assert "98%" in " ".join(by_kind["cpu_bound"].evidence)
    assert "holds the GIL" in by_kind["gil_holding_c_call"].summary
    assert "pattern" in by_kind["gil_holding_c_call"].fix


def test_a_stall_that_is_over_is_told_for_a_minute():
    over = stall(ongoing=False, duration=1.0)
    (found,) = verdict(blocked(over, at="2026-01-01T00:00:31Z"))
    assert "was blocked for 1.0 s" in found.summary
    assert "running again for 30 s" in found.summary
    assert found.ids("victim") == ()
    assert verdict(blocked(over, at="2026-01-01T00:01:02Z")) == ()


def test_equal_stalls_are_one_finding():
    again = [
        stall(n, ongoing=False, duration=n / 2, task=n, task_name=f"Task-{n}") for n in (1, 2, 3)
    ]
    (found,) = verdict(blocked(*again))
    assert "3 times in a minute, for 1.5 s at most" in found.summary
    assert found.stall_ids == (1, 2, 3)


def test_a_finalizer_is_blamed_and_not_the_task_it_was_triggered_in():
    close = Frame("grpc.py", 9, "Channel.__del__", kind="call")
    build = Frame("report.py", 40, "build", kind="coroutine")
    join = Frame("/lib/threading.py", 1, "Thread.join", own=False, kind="call")
    found = stall(
        task_name="report:build", stack=(*LOOP, build, close, join), frame=close, call="thread.join"
    )
    (finding,) = verdict(blocked(found))
    assert finding.kind == "del_teardown"
    assert "Channel.__del__" in finding.summary
    assert "triggered in report:build (1) at report.py:40 in build, which is innocent" in (
        finding.summary
    )
    assert finding.ids("culprit") == ()


def test_a_callback_without_a_task_is_named():
    tick = Frame("app.py", 5, "tick", kind="call")
    found = stall(task=None, task_name="", stack=(*LOOP, tick), frame=tick)
    assert turn(found.stack) == (tick,)
    assert culprit(found) == "the callback tick"


def test_a_stall_belongs_to_the_first_rule_that_claims_it(monkeypatch):
    class Better:
        kind = "thread_lock_on_loop"
        rank = 1

        def check(self, case):
            if case.stalled(1):
                yield Finding("", "stall", False, self.kind, "x", stall_ids=case.stalled(1))

    known = rules.all_rules()
    monkeypatch.setattr(verdicts, "all_rules", lambda: (Better(), *known))
    (found,) = verdict(blocked(stall()))
    assert found.kind == "thread_lock_on_loop"


def test_a_dump_of_a_blocked_loop_still_tells_of_the_stall():
    (found,) = confirm(blocked(stall())).findings
    assert found.verdict == "stall"


def test_many_small_steps_in_one_turn_are_shared_by_all():
    seen = tuple((n, f"render-{n}", 1) for n in range(10, 15))
    turn_of_many = stall(1, kind="cpu_bound", shared=seen, samples=5, ongoing=False, duration=1.8)
    begun = stall(
        2,
        shared=((20, "render-20", 1),),
        samples=1,
        duration=0.5,
        started_at="2026-01-01T00:00:01.800Z",
    )
    (found,) = verdict(blocked(turn_of_many, begun, at="2026-01-01T00:00:02.300Z"))
    assert (found.kind, found.verdict) == ("loop_starved", "stall")
    assert found.stall_ids == (1, 2)
    assert "render-10 (10), render-11 (11), render-12 (12) and 3 more share it" in found.summary
    assert found.ids("culprit") == (10, 11, 12, 13, 14, 20)
    assert found.ids("victim") == (2, 3)


def test_one_task_with_most_of_a_stall_is_to_blame():
    mostly = stall(1, shared=((1, "weather:fetch", 8), (2, "t2", 1)), samples=9)
    (found,) = verdict(blocked(mostly))
    assert found.kind == "blocking_call"


SPINS = Busy(
    1, 20, 0.3, function="Scope.deliver", file="scope.py", line=24, found=20, turns=9, answer=0.01
)


def test_a_callback_that_schedules_itself_for_ever_is_a_suspect():
    (found,) = verdict(replace(blocked(), busy=(SPINS,)))
    assert (found.kind, found.verdict) == ("busy_callbacks", "suspect")
    assert "Scope.deliver (scope.py:24 in Scope.deliver)" in found.summary


@pytest.mark.parametrize(
    "facts",
    [{"looks": 5, "found": 5}, {"found": 12}, {"tasks": 8}, {"answer": None}, {"turns": 1}],
)
def test_a_busy_loop_that_gets_things_done_or_does_one_thing_does_not_spin(facts):
    assert verdict(replace(blocked(), busy=(replace(SPINS, **facts),))) == ()
