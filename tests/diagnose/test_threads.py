"""Threads that wait for tasks, and tasks that wait for threads, in verdicts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asyncconsole.diagnose import confirm
from asyncconsole.model import Thread
from tests.diagnose.build import await_wait, lock_wait, snapshot, task


def cycle(*more, **options):
    """Two tasks that wait for each other's lock."""
    return snapshot(
        task(1, "a", lock_wait("L2", token=1), ("L1",), **options),
        task(2, "b", lock_wait("L1", token=2), ("L2",)),
        *more,
    )


def findings(found):
    return confirm(found, found).findings


@pytest.mark.parametrize("timeout", [None, 30.0])
def test_a_thread_that_gives_up_may_cancel_what_it_waits_for(timeout):
    found = replace(cycle(), threads=(Thread(7, "caller", waits_for=(1,), timeout=timeout),))
    if timeout is None:
        assert [item.proven for item in findings(found)] == [True]
    else:
        assert findings(found) == ()


@pytest.mark.parametrize("deadline", [None, 30.0])
def test_a_cancellation_passes_through_a_wait_for_another_loop(deadline):
    near = task(
        3,
        "near",
        await_wait(1, token=3, kind="executor", needs="any", opaque=True),
        deadline=deadline,
    )
    found = findings(cycle(near))
    assert [item.proven for item in found] == ([True] if deadline is None else [])
    for item in found:  # something else may wake it: it is not said to be stuck
        assert 3 not in (*item.ids("stuck"), *item.ids("victim"))


@pytest.mark.parametrize("held", [False, True])
def test_a_task_in_as_completed_needs_any_of_its_tasks(held):
    free = task(4, "free") if not held else task(4, "free", lock_wait("L1", token=4))
    waiter = task(3, "waiter", await_wait(1, 4, token=3, kind="as_completed", needs="any"))
    (found,) = findings(cycle(waiter, free))
    assert (3 in found.ids("victim")) is held
