"""Threads and loops that wait for each other: real programs, and healthy ones that look like it."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from asyncconsole.diagnose import confirm
from asyncconsole.model import Loop, Thread
from asyncconsole.model.blocked import Blocked, Job, Pool, Source, Stranded
from tests.diagnose.build import await_wait, snapshot, task
from tests.interpreters import CHECKOUT, runs

PROGRAM = Path(__file__).with_name("threads_child.py")
HEALTHY = sorted(set(re.findall(r"^async def (healthy_\w+)", PROGRAM.read_text(), re.MULTILINE)))
RUNS = runs("asyncio", "uvloop")

HANGS = {
    "result_on_loop": ("threadsafe_result_on_loop", "deadlock", {"handler": "culprit"}),
    "result_of_a_started_task": ("threadsafe_result_on_loop", "deadlock", {"handler": "culprit"}),
    "result_through_a_job": ("threadsafe_result_on_loop", "deadlock", {"handler": "culprit"}),
    "result_with_a_timeout": ("threadsafe_result_on_loop", "stall", {"handler": "culprit"}),
    "two_loops": ("threadsafe_result_on_loop", "deadlock", {"handler": "culprit"}),
    "join_of_a_nested_run": ("nested_run", "deadlock", {"plugin:load": "culprit"}),
    "join_of_a_waiting_thread": ("nested_run", "deadlock", {"plugin:load": "culprit"}),
    "run_in_a_pool": ("nested_run", "deadlock", {"plugin:load": "culprit"}),
    "shutdown_of_a_pool": ("nested_run", "deadlock", {"closer": "culprit"}),
    "event_of_a_thread": ("nested_run", "stall", {"wrapper": "culprit"}),
    "lock_across_an_await": (
        "thread_lock_on_loop",
        "deadlock",
        {"lister": "culprit", "upload": "holder"},
    ),
    "lock_acquired": (
        "thread_lock_on_loop",
        "deadlock",
        {"reader": "culprit", "writer": "holder"},
    ),
    "rlock_of_a_thread": ("thread_lock_on_loop", "deadlock", {"handler": "culprit"}),
    "lock_of_a_thread": ("thread_lock_on_loop", "deadlock", {"handler": "culprit"}),
    "job_behind_itself": ("executor_reentry", "deadlock", {"view": "stuck"}),
    "job_through_the_loop": ("executor_reentry", "deadlock", {"view:1": "stuck"}),
    "future_set_by_a_thread": ("threadsafe_wakeup_missing", "deadlock", {"sensor:read": "stuck"}),
    "event_set_by_another_loop": ("cross_loop", "deadlock", {"waiter": "stuck"}),
    "task_made_by_a_thread": ("threadsafe_wakeup_missing", "deadlock", {}),
    "coroutine_for_a_closed_loop": ("cross_loop", "deadlock", {"waiter": "stuck"}),
}
_HIDDEN = {"threadsafe_wakeup_missing", "cross_loop"}
"""Uvloop doesn't tell what else would wake it: what it sleeps through is no proof there."""


def look(python, kind, scenario):
    words = [python, "-W", "ignore", str(PROGRAM), kind, scenario]
    done = subprocess.run(
        words, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    for look in ("findings", "first"):  # what a machine with too much to do looks like
        found[look] = [one for one in found[look] if one["kind"] != "gil_holding_c_call"]
    return found


@pytest.mark.parametrize("scenario", sorted(HANGS))
@pytest.mark.parametrize(("python", "kind"), RUNS)
def test_a_hang_is_named_once(python, kind, scenario):
    if scenario == "coroutine_for_a_closed_loop" and (
        kind == "uvloop" or "3.10" in python or "3.14" in python or "3.15" in python
    ):
        pytest.skip("refused by asyncio itself, or the tasks of a closed loop are listed nowhere")
    wanted, verdict, roles = HANGS[scenario]
    found = look(python, kind, scenario)
    assert [one["kind"] for one in found["findings"]] == [wanted], found["findings"]
    (finding,) = found["findings"]
    if not (kind == "uvloop" and wanted in _HIDDEN):
        assert finding["verdict"] == verdict
    assert finding["proven"] == (finding["verdict"] == "deadlock")
    told = {one["name"]: one["role"] for one in finding["tasks"]}
    assert roles.items() <= told.items()
    assert "beat" not in told or told["beat"] == "victim"
    assert not any(one["verdict"] == "deadlock" for one in found["first"])


@pytest.mark.parametrize("scenario", HEALTHY)
@pytest.mark.parametrize(("python", "kind"), RUNS)
def test_a_healthy_program_has_no_finding(python, kind, scenario):
    found = look(python, kind, scenario)
    assert found["findings"] == []
    assert found["first"] == []


# ---- by hand


def blocked(*sources, kind="result", token=5, **more):
    return Blocked(kind, "Future.result", None, tuple(sources), token=token, **more)


def world(*threads, tasks=(), loops=(), pools=()):
    return replace(snapshot(*tasks), threads=threads, loops=loops, pools=pools)


def on_the_loop(wait, **more):
    """A loop whose thread 7 is in that wait, in task 1; task 2 is the loop's, too."""
    loop = Loop(1, "L", "main", 7, running=True, task=1, tasks=2, blocked=3.0)
    tasks = (task(1, "handler"), replace(task(2, "fetch"), state="ready"))
    return world(Thread(7, "main", loop=1, blocked=wait, **more), tasks=tasks, loops=(loop,))


def verdicts(first, second=None):
    found = confirm(first, first if second is None else second).findings
    return [(finding.kind, finding.verdict) for finding in found]


def test_a_future_of_the_own_loop_can_never_be_done():
    found = on_the_loop(blocked(Source("task", 2, "fetch")))
    assert verdicts(found) == [("threadsafe_result_on_loop", "deadlock")]


def test_a_wait_that_gives_up_is_a_stall():
    found = on_the_loop(blocked(Source("task", 2, "fetch"), bounded=True, timeout=9.0))
    assert verdicts(found) == [("threadsafe_result_on_loop", "stall")]


@pytest.mark.parametrize("token", [5, 6])
def test_a_thread_that_waits_for_something_else_by_now_has_moved(token):
    first = on_the_loop(blocked(Source("task", 2, "fetch")))
    second = on_the_loop(blocked(Source("task", 2, "fetch"), token=token))
    assert bool(verdicts(first, second)) is (token == 5)


@pytest.mark.parametrize("token", [6, 7])
def test_whoever_has_the_lock_must_have_stood_still(token):
    wait = blocked(Source("thread", 8), kind="lock", resource="L9", type="threading.RLock")

    def one(spent, number):
        found = on_the_loop(wait, ran=spent)
        other = Thread(8, "other", blocked=blocked(Source("loop", 1), token=number))
        return replace(found, threads=(*found.threads, other))

    expected = [("thread_lock_on_loop", "deadlock")] if token == 6 else []
    assert verdicts(one(100, 6), one(101, token)) == expected


def test_a_source_that_is_unknown_may_do_it():
    assert verdicts(on_the_loop(blocked())) == []
    either = blocked(Source("task", 2), Source("thread", 99), kind="wait", needs="any")
    assert verdicts(on_the_loop(either)) == []
    both = blocked(Source("task", 2), Source("thread", 99), kind="wait", needs="all")
    assert verdicts(on_the_loop(both)) == [("threadsafe_result_on_loop", "deadlock")]


def test_a_loop_whose_thread_is_a_guess_proves_nothing():
    found = on_the_loop(blocked(Source("task", 2, "fetch")))
    assert verdicts(replace(found, loops=(replace(found.loops[0], guessed=True),))) == []


@pytest.mark.parametrize(("most", "busy"), [(2, True), (3, True), (2, False)])
def test_a_pool_that_can_grow_or_has_a_thread_to_spare_goes_on(most, busy):
    waits = blocked(Source("pool", 4, "inner"))
    other = waits if busy else None
    threads = (Thread(1, "db_0", blocked=waits), Thread(2, "db_1", blocked=other))
    found = world(*threads, pools=(Pool(4, "db", (1, 2), most, 1),))
    expected = [("executor_reentry", "deadlock")] if most == 2 and busy else []
    assert verdicts(found) == expected


@pytest.mark.parametrize("deadline", [None, 5.0])
def test_a_timeout_may_cancel_the_task_that_waits_for_the_job(deadline):
    job = await_wait(token=3, kind="executor", opaque=True)
    orm = task(1, "orm", job, deadline=deadline)
    worker = Thread(2, "db_0", blocked=blocked(Source("task", 1, "orm")))
    pool = Pool(4, "db", (2,), 1, 1, (Job("query", None, 0, (1,)),))
    loop = Loop(1, "L", "main", 7, running=True, tasks=1)
    found = world(worker, Thread(7, "main", loop=1), tasks=(orm,), loops=(loop,), pools=(pool,))
    expected = [("executor_reentry", "deadlock")] if deadline is None else []
    assert verdicts(found) == expected


@pytest.mark.parametrize(
    ("timers", "files", "token", "expected"),
    [
        (0, 0, 3, [("threadsafe_wakeup_missing", "deadlock")]),
        (1, 0, 3, [("threadsafe_wakeup_missing", "suspect")]),
        (0, 2, 3, [("threadsafe_wakeup_missing", "suspect")]),
        (None, None, 3, [("threadsafe_wakeup_missing", "suspect")]),
        (0, 0, 4, []),
    ],
)
def test_a_loop_that_sleeps_on_its_callbacks(timers, files, token, expected):
    ready = replace(task(1, "reader"), state="ready")
    threads = (Thread(7, "main", loop=1), Thread(8, "sensor"))

    def one(number):
        queue = (Stranded("Task.__wakeup", number, (1,), "Event READY"),)
        loop = Loop(1, "L", "main", 7, True, timers=timers, files=files, stranded=queue)
        return world(*threads, tasks=(ready,), loops=(loop,))

    assert verdicts(one(3), one(token)) == expected
    assert confirm(one(3)).findings == ()


@pytest.mark.parametrize(("ran", "found"), [(10, True), (11, False)])
def test_callbacks_that_have_no_number_need_a_thread_that_did_not_run(ran, found):
    queue = (Stranded("Task.__wakeup", 0, (1,)),)
    loop = Loop(1, "L", "main", 7, True, stranded=queue)
    ready = replace(task(1, "reader"), state="ready")

    def one(spent):
        return world(Thread(7, "main", ran=spent), tasks=(ready,), loops=(loop,))

    assert bool(verdicts(one(10), one(ran))) is found


@pytest.mark.parametrize(("token", "found"), [(3, True), (4, False)])
def test_a_signal_wakes_a_thread_that_waits_for_a_lock_and_no_proof_is_lost(token, found):
    wait = blocked(kind="lock", resource="L1", type="threading.Lock", name="LOCK")
    loop = Loop(1, "L", "main", 7, running=True, task=1, tasks=2)

    def one(spent, number):
        holder = task(2, "upload", await_wait(token=number, kind="timer"), ("L1",))
        thread = Thread(7, "main", loop=1, blocked=wait, ran=spent)
        return world(thread, tasks=(task(1, "lister"), holder), loops=(loop,))

    expected = [("thread_lock_on_loop", "deadlock")] if found else []
    assert verdicts(one(10, 3), one(11, token)) == expected
