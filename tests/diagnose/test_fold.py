"""What is said once, under its cause, and what is said for itself."""

from __future__ import annotations

from dataclasses import replace

from asyncconsole.diagnose.fold import fold
from asyncconsole.model import Finding, Stall, TaskRole
from tests.diagnose.build import lock_wait, snapshot, task


def finding(verdict, kind, *, stuck=(), victims=(), cycle=()):
    roles = [TaskRole(n, f"t{n}", "stuck") for n in stuck]
    roles += [TaskRole(n, f"t{n}", "victim") for n in victims]
    return Finding("", verdict, verdict == "deadlock", kind, "x", tuple(roles), cycle_ids=cycle)


PROGRAM = snapshot(*(task(n, f"t{n}", lock_wait("L1", token=n)) for n in range(1, 9)))
CYCLE = finding("deadlock", "lock_cycle", stuck=(1, 2), victims=(3,), cycle=(1, 2))


def kinds(*findings, program=PROGRAM):
    return [item.kind for item in fold(findings, program)]


def test_a_suspect_about_tasks_of_a_deadlock_is_not_said_again():
    suspect = finding("suspect", "gather_hung_child", stuck=(2, 3), victims=(4, 1))
    (left,) = fold([CYCLE, suspect], PROGRAM)
    assert left.kind == "lock_cycle"
    assert left.ids("stuck") == (1, 2)
    assert left.ids("victim") == (3, 4)


def test_a_suspect_about_others_stays():
    assert kinds(CYCLE, finding("suspect", "event_never_set", stuck=(3, 5))) == [
        "lock_cycle",
        "event_never_set",
    ]


def test_two_cycles_are_two_findings_even_one_behind_the_other():
    other = finding("deadlock", "await_cycle", stuck=(3, 4), cycle=(3, 4))
    assert kinds(replace(CYCLE, tasks=(*CYCLE.tasks, TaskRole(4, "t4", "victim"))), other) == [
        "lock_cycle",
        "await_cycle",
    ]


def test_a_deadlock_that_only_waits_behind_another_is_its_victim():
    behind = finding("deadlock", "never_resolved_future", stuck=(3,), victims=(6,))
    (left,) = fold([CYCLE, behind], PROGRAM)
    assert left.ids("victim") == (3, 6)


def test_deadlocks_about_the_same_tasks_stay_unless_they_are_the_same():
    first = finding("deadlock", "event_never_set", stuck=(5,))
    assert kinds(first, replace(first, kind="permit_leak")) == ["event_never_set", "permit_leak"]
    assert kinds(first, first) == ["event_never_set"]


def test_suspects_of_a_blocked_loop_are_dropped_and_proofs_stay():
    stall = Stall(1, 1, "2026-01-01T00:00:00Z", 2.0, True, "blocking_call", None, "", None)
    suspect = finding("suspect", "event_never_set", stuck=(5,))
    assert kinds(CYCLE, suspect) == ["lock_cycle", "event_never_set"]
    assert kinds(CYCLE, suspect, program=replace(PROGRAM, stalls=(stall,))) == ["lock_cycle"]
    over = replace(stall, ongoing=False)
    assert kinds(suspect, program=replace(PROGRAM, stalls=(over,))) == ["event_never_set"]
    elsewhere = replace(stall, loop=2)
    assert kinds(suspect, program=replace(PROGRAM, stalls=(elsewhere,))) == ["event_never_set"]


def test_findings_without_stuck_tasks_are_left_alone():
    leak = finding("leak", "unbounded_fan_out")
    order = finding("suspect", "lock_order_inversion")
    assert kinds(CYCLE, leak, order) == ["lock_cycle", "unbounded_fan_out", "lock_order_inversion"]
