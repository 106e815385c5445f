"""Which knots are recognised, as what, and who is told to be where in them."""

from __future__ import annotations

import pytest

from asyncconsole.diagnose import confirm
from tests.diagnose.build import await_wait, lock_wait, moved, snapshot, task


def verdict(found, second=None):
    return confirm(found, second or found).findings


def two_locks():
    return snapshot(
        task(1, "a", lock_wait("L2", token=1), ("L1",)),
        task(2, "b", lock_wait("L1", token=2), ("L2",)),
        task(3, "audit", lock_wait("L1", token=3)),
        task(4, "main", await_wait(1, 2, 3, 5, token=4, kind="gather", needs="all")),
        task(5, "heartbeat"),
    )


def test_two_tasks_and_two_locks_are_a_proven_lock_cycle_with_victims_apart():
    (found,) = verdict(two_locks())
    assert (found.verdict, found.proven, found.kind) == ("deadlock", True, "lock_cycle")
    assert sorted(found.cycle) == ["a", "b"]
    assert found.ids("stuck") == (1, 2)
    assert found.ids("victim") == (3, 4)
    assert {item.id for item in found.resources} == {"L1", "L2"}
    assert any("taken at app.py:101" in line for line in found.evidence)
    assert found.now.startswith("cancel 2")


@pytest.mark.parametrize("length", [3, 5, 40])
def test_cycles_of_any_length(length):
    tasks = [
        task(n, f"t{n}", lock_wait(f"L{(n + 1) % length}", token=n + 1), (f"L{n}",))
        for n in range(length)
    ]
    (found,) = verdict(snapshot(*tasks))
    assert found.kind == "lock_cycle"
    assert len(found.cycle) == length
    order = list(found.cycle_ids)
    assert all((a + 1) % length == b for a, b in zip(order, order[1:] + order[:1], strict=True))


def test_a_task_that_waits_for_its_own_lock():
    (found,) = verdict(snapshot(task(1, "save", lock_wait("L1", token=1), ("L1",))))
    assert found.kind == "self_deadlock"
    assert found.cycle == ("save",)
    assert "app.py:101" in found.summary


@pytest.mark.parametrize("kind", ["task", "gather", "task_group", "wait_for", "shield"])
def test_a_holder_that_awaits_a_waiter(kind):
    (found,) = verdict(
        snapshot(
            task(1, "stop", await_wait(2, token=1, kind=kind, needs="all_or_error"), ("L1",)),
            task(2, "worker", lock_wait("L1", token=2)),
        )
    )
    assert found.kind == "lock_task_cycle"
    assert found.proven


def test_tasks_that_await_each_other():
    (found,) = verdict(
        snapshot(task(1, "a", await_wait(2, token=1)), task(2, "b", await_wait(1, token=2)))
    )
    assert found.kind == "await_cycle"
    assert found.resources == ()


def test_all_permits_of_a_bounded_semaphore_held_by_its_waiters():
    found = snapshot(
        task(1, "a", lock_wait("S", token=1, kind="semaphore"), ("S",)),
        task(2, "b", lock_wait("S", token=2, kind="semaphore"), ("S",)),
        kinds={"S": "BoundedSemaphore"},
        permits={"S": 2},
    )
    (finding,) = verdict(found)
    assert (finding.kind, finding.proven) == ("semaphore_nested", True)


def test_a_semaphore_that_does_not_tell_its_permits_is_only_a_suspect():
    found = snapshot(
        task(1, "a", lock_wait("S", token=1, kind="semaphore"), ("S",)),
        kinds={"S": "Semaphore"},
        permits={"S": None},
    )
    (finding,) = verdict(found)
    assert (finding.verdict, finding.proven) == ("suspect", False)
    assert "does not tell" in finding.assumes


def test_one_free_permit_is_enough_for_no_finding():
    found = snapshot(
        task(1, "a", lock_wait("S", token=1, kind="semaphore"), ("S",)),
        task(2, "b", None, ("S",)),
        kinds={"S": "BoundedSemaphore"},
        permits={"S": 2},
    )
    assert verdict(found) == ()


def test_two_deadlocks_at_once_are_two_findings():
    found = snapshot(
        task(1, "a", lock_wait("L1", token=1), ("L1",)),
        task(2, "b", lock_wait("L2", token=2), ("L2",)),
    )
    assert [finding.id for finding in verdict(found)] == ["F1", "F2"]


@pytest.mark.parametrize(
    "healthy",
    [
        pytest.param(
            snapshot(
                task(1, "a", lock_wait("L2", token=1), ("L1",), deadline=3.0),
                task(2, "b", lock_wait("L1", token=2), ("L2",)),
            ),
            id="a timeout in force on one of them",
        ),
        pytest.param(
            snapshot(
                task(1, "a", lock_wait("L2", token=1), ("L1",)),
                task(2, "b", lock_wait("L1", token=2), ("L2",)),
                task(3, "main", await_wait(1, 2, token=3, kind="gather"), deadline=9.0),
            ),
            id="a timeout of the task that gathers them",
        ),
        pytest.param(
            snapshot(
                task(1, "slow", None, ("L1",)),
                task(2, "a", lock_wait("L1", token=2), ("L2",)),
                task(3, "b", lock_wait("L2", token=3)),
            ),
            id="the holder runs",
        ),
        pytest.param(
            snapshot(
                task(1, "io", await_wait(token=1, kind="future", opaque=True), ("L1",)),
                task(2, "a", lock_wait("L1", token=2)),
            ),
            id="the holder waits for the outside",
        ),
        pytest.param(
            snapshot(
                task(1, "a", lock_wait("L1", token=1)),
                task(2, "b", lock_wait("L1", token=2)),
            ),
            id="nobody is known to hold it",
        ),
        pytest.param(
            snapshot(
                task(1, "stop", await_wait(2, 3, token=1, kind="wait", needs="any"), ("L1",)),
                task(2, "worker", lock_wait("L1", token=2)),
                task(3, "other"),
            ),
            id="the first of two is enough",
        ),
    ],
)
def test_what_may_still_move_is_no_deadlock(healthy):
    assert verdict(healthy) == ()


def test_a_timeout_does_not_pass_through_a_shield():
    (found,) = verdict(
        snapshot(
            task(1, "a", lock_wait("L2", token=1), ("L1",)),
            task(2, "b", lock_wait("L1", token=2), ("L2",)),
            task(3, "main", await_wait(1, token=3, kind="shield"), deadline=9.0),
        )
    )
    assert found.kind == "lock_cycle"
    assert 3 not in found.ids("victim")


def test_a_sibling_that_may_fail_makes_it_a_suspect():
    (found,) = verdict(
        snapshot(
            task(
                1, "stop", await_wait(2, 3, token=1, kind="gather", needs="all_or_error"), ("L1",)
            ),
            task(2, "worker", lock_wait("L1", token=2)),
            task(3, "heartbeat"),
        )
    )
    assert (found.verdict, found.kind) == ("suspect", "lock_task_cycle")
    assert "may fail" in found.assumes


def test_a_watchdog_that_is_about_to_wake_makes_it_a_suspect():
    from dataclasses import replace

    watchdog = task(3, "watchdog", await_wait(token=3, kind="timer", opaque=True))
    watchdog = replace(watchdog, wait=replace(watchdog.wait, due=4.0))
    (found,) = verdict(
        snapshot(
            task(1, "a", lock_wait("L2", token=1), ("L1",), watchers=(3,)),
            task(2, "b", lock_wait("L1", token=2), ("L2",)),
            watchdog,
        )
    )
    assert found.verdict == "suspect"
    assert "watchdog (3) may cancel a" in found.assumes


@pytest.mark.parametrize("how", [{"sound": False}, {"certain": False}])
def test_weak_evidence_is_never_a_proof(how):
    found = snapshot(
        task(1, "a", lock_wait("L2", token=1), ("L1",)),
        task(2, "b", lock_wait("L1", token=2), ("L2",)),
        **how,
    )
    (finding,) = verdict(found)
    assert (finding.verdict, finding.proven) == ("suspect", False)


@pytest.mark.parametrize("number", [1, 2])
def test_a_task_that_moved_between_the_captures_ends_the_verdict(number):
    first = two_locks()
    assert verdict(first, moved(first, number)) == ()


def test_a_victim_that_moved_is_left_out():
    first = two_locks()
    (found,) = verdict(first, moved(first, 3))
    assert found.ids("victim") == (4,)


def test_one_capture_alone_proves_nothing():
    (found,) = confirm(two_locks()).findings
    assert (found.verdict, found.proven) == ("suspect", False)
    assert "one capture" in found.assumes
