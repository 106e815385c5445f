"""Why the side thread was late, told from its clocks."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from asyncconsole.stall import clocks
from asyncconsole.stall.clocks import Gap, Vitals, judge, settle, thread_clock

pytestmark = pytest.mark.alone


@pytest.fixture(autouse=True)
def _nobody_hurried(monkeypatch):
    """Tests of commands may have, in this very process; times here are not of this machine."""
    monkeypatch.setattr(clocks, "_hurried", -1.0)


def gap(*, late=1.0, own=0.0, cpu=0.0, switches=0):
    before = Vitals(100.0, 10.0, 1.0, None if switches is None else 500, {})
    now = Vitals(
        100.1 + late,
        10.0 + own + cpu,
        1.0 + own,
        None if switches is None else 500 + switches,
        {},
    )
    return judge(before, now, due=100.1)


PER_SECOND = round(1 / sys.getswitchinterval())


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"late": 0.0}, "none"),
        ({"late": 0.04, "cpu": 0.04}, "none"),
        ({"switches": 2}, "frozen"),
        ({"switches": 2, "cpu": 0.1}, "frozen"),
        ({"switches": round(PER_SECOND * 0.9), "cpu": 1.0}, "held"),
        ({"switches": round(PER_SECOND * 0.9)}, "held"),  # C code that sleeps with the GIL
        ({"switches": PER_SECOND * 2, "cpu": 1.0}, "crowded"),
        ({"own": 0.6}, "busy"),
        ({"switches": None, "cpu": 0.9}, "held"),
        ({"switches": None, "cpu": 0.1}, "frozen"),
    ],
)
def test_reasons(facts, reason):
    assert gap(**facts).reason == reason


def test_a_stop_may_have_begun_before_anybody_was_late():
    """Several in a row would add up to a stall otherwise, of what each had begun with."""
    assert gap(late=1.0, switches=2).stopped == pytest.approx(1.1)
    assert gap(late=1.0, switches=PER_SECOND, cpu=1.0).stopped == 0


def test_what_others_used_is_not_what_the_side_thread_used():
    assert gap(own=0.1, cpu=0.4, switches=200).cpu == pytest.approx(0.4)


def test_clocks_of_living_threads_only():
    ended = threading.Thread(target=int)
    ended.start()
    ended.join()
    vitals = clocks.read()
    assert ended.ident not in vitals.threads
    assert thread_clock(ended.ident, vitals, queue=True) is None
    assert thread_clock(None, vitals, queue=True) is None
    own = thread_clock(threading.get_ident(), vitals, queue=True)
    assert own is not None
    assert own.cpu > 0


@pytest.mark.parametrize(
    ("reason", "earlier", "later", "told"),
    [
        ("frozen", 2.0, 2.9, "queued"),
        ("frozen", 2.0, 2.1, "frozen"),
        ("frozen", None, 2.9, "frozen"),
        ("frozen", 2.0, None, "frozen"),
    ],
)
def test_a_side_thread_without_a_cpu_is_no_stopped_process(reason, earlier, later, told):
    before = Vitals(100.0, 10.0, 1.0, 500, {}, earlier)
    now = Vitals(101.0, 10.0, 1.0, 500, {})
    stopped = 1.0 if told == "frozen" else 0.0
    assert settle(Gap(reason, 1.0, 0.0, 1.0), before, now, later) == Gap(told, 1.0, 0.0, stopped)


@pytest.mark.parametrize(
    ("asked", "waited", "told"),
    [
        (0.98, 0.0, "held"),  # each time after the whole interval
        (0.48, 0.5, "held"),  # the same, with half of the time spent waiting for a CPU
        (0.98, 0.5, "crowded"),  # woken twice as often
        (0.98, None, "held"),  # nobody counts
    ],
)
def test_turns_that_are_given_back_show_also_where_cpus_are_scarce(asked, waited, told):
    before = Vitals(100.0, 10.0, 1.0, 500, {}, 2.0)
    now = Vitals(101.0, 11.0, 1.0, 500 + round(PER_SECOND * asked), {})
    queued = None if waited is None else 2.0 + waited
    assert settle(Gap("held", 1.0, 1.0), before, now, queued) == Gap(told, 1.0, 1.0)


def test_a_process_stopped_in_the_middle_of_a_beat():
    """The count of the beat before was taken after its clocks, and after the stop."""
    before = Vitals(100.0, 10.0, 1.0, 500, {}, 2.0, counted=100.9)
    now = Vitals(100.95, 10.0, 1.0, 503, {})
    assert settle(Gap("frozen", 0.9, 0.0), before, now, 2.0001).reason == "frozen"
    assert settle(Gap("frozen", 0.9, 0.0), before, now, 2.8).reason == "queued"


@pytest.mark.parametrize(("turns", "told", "stopped"), [(0.95, "held", 0.0), (0.5, "crowded", 0.4)])
def test_a_process_that_worked_and_was_stopped_in_one_gap(turns, told, stopped):
    before = Vitals(100.0, 10.0, 1.0, 500, {}, 2.0, counted=100.0)
    now = Vitals(101.0, 10.4, 1.0, 500 + round(PER_SECOND * turns), {})
    gap = judge(before, now, 100.1)
    assert gap.reason == "held"
    settled = settle(gap, before, now, 2.0)
    assert settled.reason == told
    assert settled.stopped == pytest.approx(stopped)


def test_what_was_done_for_clients_before_is_no_question_for_the_gil():
    before = Vitals(100.0, 10.0, 1.0, 500, {}, 2.0)
    now = Vitals(101.2, 11.0, 1.0, 900 + round(PER_SECOND * 0.98), {})
    rested = clocks.Rest(100.1, 900)
    assert judge(before, now, 100.2).reason == "crowded"
    gap = judge(before, now, 100.2, rested)
    assert gap.reason == "held"
    assert settle(gap, before, now, 2.1, rested) == gap
    assert settle(gap, before, now, 2.6, rested).reason == "crowded"


def test_a_gap_that_began_while_a_command_ran():
    clocks.hurried()
    ended = time.monotonic()
    before = Vitals(ended - 1.2, 10.0, 1.0, 500, {}, 2.0)
    now = Vitals(ended, 11.0, 1.0, 20_000, {})
    gap = judge(before, now, ended - 1.0)
    assert gap.reason == "held"
    assert settle(gap, before, now, 2.6) == gap


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux counts it")
def test_the_kernel_counts_time_without_a_cpu():
    assert clocks.own_queue() is not None
    assert clocks.runnable(threading.get_ident())


def test_a_blocked_thread_is_not_runnable():
    done = threading.Event()
    thread = threading.Thread(target=done.wait, args=(60,))
    thread.start()
    try:
        end = time.monotonic() + 10
        while clocks.runnable(thread.ident) and time.monotonic() < end:
            time.sleep(0.01)
        assert not clocks.runnable(thread.ident)
    finally:
        done.set()
        thread.join()
    assert not clocks.runnable(thread.ident)
    assert not clocks.runnable(None)
