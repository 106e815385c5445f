"""anyio's primitives, on every interpreter."""

from __future__ import annotations

import pytest

from tests.interpreters import INTERPRETERS
from tests.libraries.seen import holders, needs, start, waiters


@pytest.fixture(scope="module", params=INTERPRETERS)
def found(request):
    needs(request.param, "anyio")
    return start(request.param, "primitives_anyio.py")


def test_a_lock_knows_its_owner_however_it_was_taken(found):
    lock = found["waits"].named("Store.lock")
    assert (lock["type"], lock["state"]) == ("anyio.Lock", "locked")
    assert holders(lock) == {"lock-holder": "owner"}
    (holder,) = lock["holders"]
    assert holder["function"] == "explicit"
    assert waiters(lock) == ["lock-waiter-1", "lock-waiter-2"]


def test_a_lock_made_before_the_loop_ran(found):
    lock = found["waits"].named("EARLY")
    assert lock["type"] == "anyio.Lock"
    assert holders(lock) == {"early-holder": "stack"}
    assert lock["holders"][0]["line"] > 0
    assert waiters(lock) == ["early-waiter"]


def test_semaphore_and_limiter(found):
    gate = found["waits"].named("Store.gate")
    assert (gate["type"], gate["state"]) == ("anyio.Semaphore", "0 of 2 free")
    assert holders(gate) == {"gate-1": "stack", "gate-2": "stack"}
    assert waiters(gate) == ["gate-waiter"]
    limit = found["waits"].named("Store.limit")
    assert (limit["type"], limit["state"]) == ("anyio.CapacityLimiter", "2 of 2 tokens borrowed")
    assert holders(limit) == {"limit-1": "stack", "limit-2": "owner"}
    lines = {holder["name"]: holder["line"] for holder in limit["holders"]}
    assert lines["limit-1"] > 0
    assert lines["limit-2"] == 0
    assert waiters(limit) == ["limit-waiter"]


def test_event_condition_and_streams(found):
    seen = found["waits"]
    assert waiters(seen.named("SIGNAL")) == ["signal-waiter"]
    changed = seen.named("Store.changed")
    assert waiters(changed) == ["changed-waiter"]
    assert holders(changed) == {"changed-holder": "owner"}  # the waiter has given the lock back
    assert seen.tasks["changed-waiter"]["holds"] == []
    stream = seen.named("Store.sender")
    assert stream["type"] == "anyio.MemoryObjectStream"
    assert stream["state"] == "1 of 1 items, open ends: 1 send, 1 receive"
    assert waiters(stream) == ["sender-2", "sender-3"]
    assert {waiter["role"] for waiter in stream["waiters"]} == {"send"}
    jobs = seen.named("Store.jobs")
    assert [(w["name"], w["role"]) for w in jobs["waiters"]] == [("receiver", "receive")]


def test_kinds_of_waits(found):
    seen = found["waits"]
    assert (seen.findings, seen.gaps) == ([], [])
    kinds = seen.kinds()
    assert {name: kind for name, kind in kinds.items() if "holder" not in name} == {
        "Task-1": "executor",
        "gate-1": "timer",
        "gate-2": "timer",
        "limit-1": "timer",
        "limit-2": "timer",
        "lock-waiter-1": "lock",
        "lock-waiter-2": "lock",
        "early-waiter": "lock",
        "gate-waiter": "semaphore",
        "limit-waiter": "limiter",
        "changed-waiter": "condition",
        "signal-waiter": "event",
        "sender-2": "stream_send",
        "sender-3": "stream_send",
        "receiver": "stream_receive",
    }
    assert seen.tasks["gate-1"]["wait"]["due"] is None  # it sleeps for ever


def test_two_locks_crossed_are_a_deadlock_and_under_a_deadline_they_are_none(found):
    (finding,) = found["crossed"].findings
    assert (finding["kind"], finding["verdict"], finding["proven"]) == (
        "lock_cycle",
        "deadlock",
        True,
    )
    assert found["bounded"].findings == []


def test_an_unknown_version(found):
    seen = found["unknown_version"]
    assert any("_owner_task" in gap["why"] for gap in seen.gaps)
    assert seen.kinds()["lock-waiter-1"] == "lock"
    assert seen.named("Store.lock")["holders"] == []
    assert seen.findings == []
