"""The stall probe in real programs, on every interpreter and kind of loop."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests import children
from tests.interpreters import runs

pytestmark = pytest.mark.alone

VICTIM = Path(__file__).with_name("victim.py")
BLOCK = 0.5
THRESHOLD = 0.2


def run(scenario, python=sys.executable, kind="asyncio", *, complains=False):
    """What a child process saw: its stalls, and what its scenario returned."""
    found = see(scenario, python, kind, complains=complains)
    return found["stalls"], found["extra"]


def see(scenario, python=sys.executable, kind="asyncio", *, complains=False):
    """All that a child process tells."""
    own = ("-W", "ignore::DeprecationWarning:__main__")
    done = children.run(python, *own, VICTIM, scenario, kind, quiet=False)
    assert bool(done.stderr) == complains, done.stderr
    return json.loads(done.stdout)


def left_alone(scenario, python=sys.executable, kind="asyncio"):
    """The stalls that a child saw on a machine that let it run all the while.

    A stopped process and one that gets no CPU differ in what the kernel counts, some of it
    later: one that had neither the one nor the other alone proves nothing about either.
    """
    for _ in range(8):
        found = see(scenario, python, kind)
        if found["queued"] < THRESHOLD / 2:
            return found["stalls"]
    pytest.skip("the machine is too busy to tell a stopped process from a starved one")


def source(stall):
    """The line of source that a stall's frame stands on."""
    frame = stall["frame"]
    return Path(frame["file"]).read_text(encoding="utf-8").splitlines()[frame["line"] - 1].strip()


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop", "debug", "eager"))
def test_names_task_frame_call_and_kind(python, kind):
    stalls, _ = run("culprits", python, kind)
    names = ["blocking", "cpu", ""]
    kinds = ["blocking_call", "cpu_bound", "blocking_call"]
    lines = ["time.sleep(BLOCK)  # the call", None, "time.sleep(BLOCK)  # the call"]
    calls = ["time.sleep", None, "time.sleep"]
    if kind == "asyncio":
        names += ["lock", "with_lock", "in_library", "selecting"]
        kinds += ["blocking_call"] * 4
        lines += ["held.acquire()", "with held:", "queue.Queue().get(timeout=BLOCK)"]
        lines += ["own.select(BLOCK)"]
        calls += ["held.acquire", "with held", None, "own.select"]
    assert [stall["task_name"] for stall in stalls] == names
    assert [stall["kind"] for stall in stalls] == kinds
    for stall, line, call in zip(stalls, lines, calls, strict=True):
        assert line is None or source(stall) == line
        assert call is None or stall["call"] == call
        assert stall["frame"]["own"]
        assert Path(stall["frame"]["file"]).name == "victim.py"
        assert stall["samples"] >= 1
        assert not stall["ongoing"]
        assert stall["duration"] >= BLOCK * 0.8
        assert stall["started_at"].endswith("Z")
        datetime.fromisoformat(stall["started_at"].removesuffix("Z"))
        assert (stall["late"] is None) == (kind == "uvloop")
        assert (stall["task"] is None) == (stall["task_name"] == "")
        assert stall["cpu"] > 0.05 if stall["kind"] == "cpu_bound" else stall["cpu"] < 0.5
        functions = [frame["function"] for frame in stall["stack"]]
        assert stall["frame"]["function"] in functions
    if kind == "asyncio":
        library = [frame for frame in stalls[5]["stack"] if frame["file"].endswith("queue.py")]
        assert library
        assert not any(frame["own"] for frame in library)


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_a_call_that_holds_the_gil_is_seen_right_after(python, kind):
    (stall,) = run("regex", python, kind)[0]
    assert stall["kind"] == "gil_holding_c_call"
    assert stall["task_name"] == "culprit"
    assert source(stall) == 'HARD.match(text + "b")'
    assert stall["call"] == "HARD.match"
    assert stall["duration"] >= THRESHOLD


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_arithmetic_that_holds_the_gil_is_seen_right_after(python, kind):
    (stall,) = run("power", python, kind)[0]
    assert stall["kind"] == "gil_holding_c_call"
    assert stall["task_name"] == "culprit"
    assert source(stall) == "assert bool(3**exponent)"
    assert stall["duration"] >= THRESHOLD


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_arithmetic_that_ends_its_task_is_no_secret(kind):
    (stall,) = run("power_at_the_end", kind=kind)[0]
    assert stall["kind"] == "gil_holding_c_call"
    assert stall["task_name"] == ("culprit" if kind == "asyncio" else "")
    assert stall["duration"] >= THRESHOLD


@pytest.mark.parametrize(("python", "kind"), runs("asyncio"))
def test_a_call_that_holds_the_gil_in_the_first_turn_of_a_loop(python, kind):
    (stall,) = run("power_in_a_first_turn", python, kind)[0]
    assert (stall["kind"], stall["loop"]) == ("gil_holding_c_call", 2)
    assert source(stall) == "assert bool(3**exponent)"
    assert stall["duration"] >= THRESHOLD


@pytest.mark.parametrize(("python", "kind"), runs("asyncio"))
def test_a_thread_without_a_loop_that_holds_the_gil(python, kind):
    (stall,) = run("regex_in_thread", python, kind)[0]
    assert stall["kind"] == "gil_holding_c_call"
    assert stall["task"] is None
    assert source(stall) == 'HARD.match(text + "b")'
    assert stall["duration"] >= THRESHOLD


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_nobody_is_blamed_for_the_garbage_collector(python, kind):
    stalls, listens = run("collects", python, kind)
    assert len(stalls) == 2
    for stall in stalls:
        assert (stall["kind"], stall["call"]) == ("gil_holding_c_call", "garbage collection")
        assert (stall["task"], stall["frame"], stall["stack"]) == (None, None, [])
        assert stall["duration"] >= THRESHOLD
    assert listens == [1, 0]


@pytest.mark.parametrize(("python", "kind"), runs("asyncio"))
def test_a_call_that_holds_the_gil_and_sleeps(python, kind):
    (stall,) = run("sleeps_with_the_gil", python, kind)[0]
    assert stall["kind"] == "gil_holding_c_call"
    assert stall["call"] == "usleep"


def test_a_call_that_takes_the_gil_from_a_short_look():
    (stall,) = run("held_in_a_short_look")[0]
    assert stall["kind"] == "gil_holding_c_call"
    assert stall["call"] == "usleep"
    assert stall["duration"] >= THRESHOLD


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "debug"))
def test_a_callback_before_the_question_in_the_same_turn(python, kind):
    (stall,) = run("behind", python, kind)[0]
    assert stall["kind"] == "blocking_call"
    assert source(stall) == "time.sleep(BLOCK)  # the call"
    assert stall["duration"] >= BLOCK * 0.8


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_a_stall_that_the_side_thread_slept_through(kind):
    for _ in range(5):
        stalls, extra = run("overslept", kind=kind)
        if extra["in_time"]:  # else the machine let the side thread look in it after all
            break
    (stall,) = stalls
    assert stall["kind"] == "blocking_call"
    assert stall["duration"] >= BLOCK
    assert (stall["samples"], stall["frame"], stall["ongoing"]) == (0, None, False)


def test_a_stall_counts_from_the_start_of_its_turn():
    ((stall,), extra) = run("late_look")
    assert extra["at_once"]  # not a threshold after the first question
    assert extra["spent"] >= stall["duration"] >= 2 * THRESHOLD
    assert stall["task_name"] == "culprit"


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_busy_loops_that_answer_are_not_stalled(python, kind):
    assert run("healthy", python, kind)[0] == []


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
@pytest.mark.parametrize("scenario", ["loaded", "starving"])
def test_no_stall_comes_of(scenario, kind):
    assert run(scenario, kind=kind)[0] == []


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_no_stall_comes_of_a_stopped_idle_process(kind):
    assert left_alone("stopped_idle", kind=kind) == []


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_no_stall_comes_of_a_stopped_process(python, kind):
    assert left_alone("stopped_busy", python, kind) == []


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_while_it_lasts(kind):
    stalls, seen = run("ongoing", kind=kind)
    (early,) = seen["stalls"]
    assert early["ongoing"]
    assert early["task_name"] == "culprit"
    assert early["call"] == "done.wait"
    assert seen["blocked"] >= early["duration"] > 0
    assert seen["lag"] >= seen["blocked"]
    assert seen["asked"] is None
    assert seen["asked_again"] is None
    assert seen["after"] is None
    (late,) = stalls
    assert (late["id"], late["started_at"]) == (early["id"], early["started_at"])
    assert late["duration"] >= early["duration"]


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_an_idle_loop_is_not_woken(kind):
    # One for its own timer; the probe would have asked 20 times meanwhile.
    assert run("idle", kind=kind)[1]["wakeups"] <= 4


def test_two_stalls_in_a_row_are_two():
    stalls, _ = run("two_in_a_row")
    assert [stall["task_name"] for stall in stalls] == ["one", "two"]
    assert [stall["id"] for stall in stalls] == [1, 2]


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_a_blocking_signal_handler(kind):
    (stall,) = run("handler", kind=kind)[0]
    assert source(stall) == "time.sleep(BLOCK)  # the call"


def test_a_loop_of_another_thread_that_started_later():
    (stall,) = run("other_thread")[0]
    assert (stall["loop"], stall["task_name"]) == (2, "blocking")


def test_lag_on_demand():
    _, extra = run("asked")
    assert extra["lag"] >= 0
    assert extra["lags"][0] == extra["lag"]
    assert extra["missing"] is None


def test_off_and_on_and_threshold():
    stalls, extra = run("off")
    assert extra["while_off"] == 0
    told = [status[:3] for status in extra["status"]]  # the rest is about slow callbacks
    assert told == [[False, 0.2, 0.1], [True, 0.1, 0.05], [False, 0.1, 0.05]]
    assert len(stalls) == 1


def test_a_failing_beat_is_logged_once_and_the_next_one_comes():
    stalls, extra = run("broken", complains=True)
    assert extra["calls"] > 4
    assert len(stalls) == 1


def test_a_forked_child_works():
    assert run("forked")[1]["child"] == 0


def test_without_readable_stacks():
    (stall,) = run("without_frames")[0]
    assert stall["frame"] is None
    assert stall["task_name"] == "culprit"


def test_the_ring_is_bounded_and_counts():
    stalls, extra = run("many")
    assert len(stalls) == 256
    assert extra["last"] >= 300
    assert extra["dropped"] == extra["last"] - 256
    assert [stall["id"] for stall in stalls] == sorted(stall["id"] for stall in stalls)
