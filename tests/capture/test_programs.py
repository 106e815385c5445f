"""Real hanging programs, captured on every interpreter and every kind of loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.children import tell
from tests.interpreters import runs

PROGRAMS = Path(__file__).with_name("programs.py")


RUNS = [pytest.param(run.values, id=run.id) for run in runs("asyncio", "debug", "uvloop", "eager")]


@pytest.fixture(scope="module", params=RUNS)
def seen(request):
    python, kind = request.param
    return Seen(tell(python, PROGRAMS, kind))


class Seen:
    """What a child captured, by scenario and name."""

    def __init__(self, found):
        self.found = found

    def findings(self, scenario):
        return self.found[scenario]["findings"]

    def only(self, scenario):
        (finding,) = self.findings(scenario)
        assert (finding["verdict"], finding["proven"]) == ("deadlock", True)
        return finding

    def tasks(self, scenario):
        return {task["name"]: task for task in self.found[scenario]["snapshot"]["tasks"]}

    def locks(self, scenario):
        return {item["name"]: item for item in self.found[scenario]["snapshot"]["resources"]}

    def holders(self, scenario, lock):
        return [holder["name"] for holder in self.locks(scenario)[lock]["holders"]]


def roles(finding, role):
    return sorted(task["name"] for task in finding["tasks"] if task["role"] == role)


def test_everything_could_be_read(seen):
    for name, found in seen.found.items():
        assert found["snapshot"]["gaps"] == [], name


def test_two_locks(seen):
    finding = seen.only("two_locks")
    assert finding["kind"] == "lock_cycle"
    assert sorted(finding["cycle"]) == ["a→b", "b→a"]
    assert roles(finding, "stuck") == ["a→b", "b→a"]
    assert roles(finding, "victim") == ["audit", "main"]
    assert seen.holders("two_locks", "LOCKS['alice']") == ["a→b"]
    assert seen.holders("two_locks", "LOCKS['bob']") == ["b→a"]
    waiters = [waiter["name"] for waiter in seen.locks("two_locks")["LOCKS['alice']"]["waiters"]]
    assert sorted(waiters) == ["audit", "b→a"]
    # the queue's own order, whichever task came first
    assert [w["position"] for w in seen.locks("two_locks")["LOCKS['alice']"]["waiters"]] == [1, 2]


def test_the_line_that_took_the_lock_and_the_line_that_waits(seen):
    source = PROGRAMS.read_text().splitlines()
    task = seen.tasks("two_locks")["a→b"]
    (hold,) = task["holds"]
    assert "async with LOCKS[first]" in source[hold["line"] - 1]
    assert hold["certain"]
    assert hold["function"] == "run"
    own = [frame for frame in task["frames"] if frame["own"]]
    assert "async with LOCKS[second]" in source[own[-1]["line"] - 1]


def test_a_circle_of_three(seen):
    finding = seen.only("three_locks_in_a_circle")
    assert finding["kind"] == "lock_cycle"
    assert sorted(finding["cycle"]) == ["step-0", "step-1", "step-2"]


def test_own_lock(seen):
    finding = seen.only("own_lock")
    assert finding["kind"] == "self_deadlock"
    assert finding["cycle"] == ["save"]
    assert [item["name"] for item in finding["resources"]] == ["Settings._mutex"]


@pytest.mark.parametrize("how", ["bare", "gather", "shield", "wait_for", "wait", "task_group"])
def test_a_holder_that_awaits_a_waiter(seen, how):
    scenario = f"lock_and_{how}"
    if scenario not in seen.found:
        assert how == "task_group"  # 3.10 has none
        return
    finding = seen.only(scenario)
    assert finding["kind"] == "lock_task_cycle"
    assert sorted(finding["cycle"]) == ["stop", "worker"]
    assert roles(finding, "victim") == ["main"]


def test_await_cycle(seen):
    finding = seen.only("await_cycle")
    assert finding["kind"] == "await_cycle"
    assert sorted(finding["cycle"]) == ["x", "y", "z"]


def test_holders_through_everything_that_can_stand_between(seen):
    scenario = "held_in_many_ways"
    assert seen.findings(scenario) == []
    assert seen.holders(scenario, "LOCKS['alice']") == ["by_manager"]
    assert seen.holders(scenario, "LOCKS['bob']") == ["by_stack"]
    assert seen.holders(scenario, "LOCKS['carol']") == ["by_generator"]
    assert seen.holders(scenario, "Settings._mutex") == ["by_attribute"]
    assert sorted(seen.holders(scenario, "GATE")) == ["permit-1", "permit-2"]
    assert seen.locks(scenario)["GATE"]["accounted"]
    assert seen.holders(scenario, "GLOBAL") == ["several"]
    assert seen.holders(scenario, "SLOTS") == ["several"]
    assert seen.tasks(scenario)["not_holding"]["holds"] == []


def test_every_kind_of_wait(seen):
    scenario = "waits_of_every_kind"
    assert seen.findings(scenario) == []
    tasks = seen.tasks(scenario)
    kinds = {name: task["wait"]["kind"] for name, task in tasks.items()}
    timed = kinds.pop("timed")
    assert kinds.pop("main") == "wait"
    # before 3.12 wait_for awaits a task of its own, which waits for the lock
    assert timed in {"lock", "wait_for"}
    own = [name for name in kinds if name.startswith("Task-")]
    assert [kinds.pop(name) for name in own] == (["lock"] if timed == "wait_for" else [])
    assert kinds == {
        "condition": "condition",
        "condition-holder": "event",
        "event": "event",
        "get": "queue_get",
        "put": "queue_put",
        "join": "queue_join",
        "sleep": "timer",
        "future": "future",
    }
    assert tasks["sleep"]["state"] == "sleeping"
    assert 0 < tasks["sleep"]["wait"]["due"] <= 1000
    bound = tasks["timed"]["deadline"] or tasks["timed"]["wait"]["due"]
    assert 0 < bound <= 1000


def test_a_task_in_condition_wait_does_not_hold_the_condition(seen):
    scenario = "waits_of_every_kind"
    tasks = seen.tasks(scenario)
    assert tasks["condition"]["holds"] == []
    held = {hold["resource"] for hold in tasks["condition-holder"]["holds"]}
    locks = seen.found[scenario]["snapshot"]["resources"]
    (lock,) = [item for item in locks if item["id"] in held]
    assert lock["type"] == "Lock"
    assert lock["name"].startswith("lock of condition")


@pytest.mark.parametrize(
    "scenario",
    [
        "a_timeout_will_break_it",
        "a_timer_will_cancel_it",
        "a_shield_gives_up_and_cancels",
        "a_slow_holder",
    ],
)
def test_what_ends_by_itself_is_no_deadlock(seen, scenario):
    assert seen.findings(scenario) == []


@pytest.mark.parametrize(
    "scenario",
    [
        "released_by_a_helper",
        "released_by_a_task_it_awaits",
        "released_by_a_generator_behind_a_manager",
        "a_child_of_two_gathers",
        "a_guard_that_keeps_its_tasks_in_an_object",
        "a_task_group_under_a_timeout",
    ],
)
def test_what_may_yet_end_is_at_most_a_suspect(seen, scenario):
    if scenario not in seen.found:
        assert scenario == "a_task_group_under_a_timeout"  # 3.10 has none
        return
    assert not [item for item in seen.findings(scenario) if item["proven"]]
    assert {item["verdict"] for item in seen.findings(scenario)} <= {"suspect"}


def test_a_deadline_of_an_anyio_scope_reaches_the_tasks_below_it(seen):
    scenario = "a_scope_of_anyio_has_a_deadline"
    if scenario not in seen.found:
        pytest.skip("anyio is not installed for this interpreter")
    assert seen.findings(scenario) == []
    assert seen.only("a_scope_of_anyio_has_none")["kind"] == "lock_cycle"
