"""What a loop's answers and clocks say, on plain numbers."""

from __future__ import annotations

import pytest

from asyncconsole.stall.beat import Beat
from asyncconsole.stall.clocks import Gap, ThreadClock
from asyncconsole.stall.watch import Watch


def answered(*, given, turn, at):
    beat = Beat()
    beat.sent, beat.given, beat.turn, beat.answered = 0.0, given, turn, at
    return beat


@pytest.mark.parametrize(
    ("since", "turn", "silence"),
    [
        (None, None, (1.0, 9.0)),
        (3.0, None, (3.0, 9.0)),
        (0.5, None, (1.0, 9.0)),  # nobody asked before
        (3.0, 5.0, (5.0, 9.0)),
        (3.0, 7.0, (3.0, 7.0)),
        (3.0, 2.0, (3.0, 9.0)),
        (3.0, 9.5, (3.0, 9.0)),
    ],
)
def test_two_turns_are_no_single_silence(since, turn, silence):
    assert answered(given=1.0, turn=turn, at=9.0).silence(since) == silence


def test_an_answer_that_came_before_the_side_thread_was_back_is_no_silence():
    start, end = answered(given=5.0, turn=None, at=2.0).silence(None)
    assert end - start < 0


@pytest.mark.parametrize(
    ("reason", "counted"),
    [("none", 0.3), ("frozen", 0.0), ("queued", 0.3), ("held", 0.3), ("crowded", 0.3)],
)
def test_time_without_a_cpu_counts_once(reason, counted):
    watch = Watch(1)
    watch.saw(ThreadClock(10.0, 1.0, 5.0), Gap("none", 0.0, 0.0))
    watch.saw(ThreadClock(10.5, 1.0, 5.3), Gap(reason, 0.4, 0.0))
    assert watch.waited == pytest.approx(counted)


def test_where_the_kernel_does_not_tell_nothing_is_counted():
    watch = Watch(1)
    none = Gap("none", 0.0, 0.0)
    watch.saw(ThreadClock(10.0, 1.0, 5.0), none)
    watch.saw(ThreadClock(10.6, 1.0, None), none)
    watch.saw(ThreadClock(10.7, 1.0, 6.0), none)
    assert watch.waited == 0.0
    watch.saw(ThreadClock(10.8, 1.0, 6.1), none)
    assert watch.waited == pytest.approx(0.1)
    watch.live(10.8)
    assert watch.waited == 0.0


def test_time_that_may_be_a_wait_for_a_cpu_is_unsettled_until_the_kernel_counts_it():
    watch = Watch(1)
    none = Gap("none", 0.0, 0.0)
    for now in (10.0, 10.1, 10.2):
        watch.saw(ThreadClock(now, 1.0, 5.0), none)
    assert (watch.waited, watch.off) == (0.0, pytest.approx(0.2))
    watch.saw(ThreadClock(10.5, 1.02, 5.4), none)
    assert watch.waited == pytest.approx(0.4)
    assert watch.off == 0.0
    watch.saw(ThreadClock(10.6, 1.1, 5.4), none)
    assert watch.off == pytest.approx(0.02)
    watch.saw(ThreadClock(11.0, 1.1, 5.4), Gap("frozen", 0.4, 0.0, 0.4))
    assert watch.off == pytest.approx(0.02)


def test_a_newer_turn_is_proof_of_life_and_an_older_one_is_not():
    watch = Watch(1)
    assert watch.begun(3.0) is None
    assert watch.since() == 3.0
    watch.live(4.0)
    watch.begun(3.0)  # still in it
    assert watch.since() == 4.0
    watch.begun(5.0)
    assert watch.since() == 5.0
