"""Holders by explicit acquire, inside of hand-written managers, and of threading locks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

HERE = Path(__file__).parent


@pytest.fixture(scope="module", params=INTERPRETERS)
def seen(request):
    return tell(request.param, HERE / "acquired.py", "asyncio")


def holders(seen, scenario):
    """Task to what it holds: type, evidence, certain, line's text."""
    source = (HERE / "acquired.py").read_text().splitlines()
    found = {}
    snapshot = seen[scenario]["snapshot"]
    types = {item["id"]: item["type"] for item in snapshot["resources"]}
    for task in snapshot["tasks"]:
        for hold in task["holds"]:
            line = source[hold["line"] - 1].strip()
            kind = types[hold["resource"]]
            found.setdefault(task["name"], []).append((kind, hold["how"], hold["certain"], line))
    return found


def test_everything_could_be_read(seen):
    for name, found in seen.items():
        assert found["snapshot"]["gaps"] == [], name


def test_locks_taken_by_acquire(seen):
    assert holders(seen, "taken_by_acquire") == {
        name: [(kind, "flow", False, line)]
        for name, kind, line in [
            ("by_global", "Lock", "await GLOBAL.acquire()"),
            ("by_local", "Lock", "await lock.acquire()"),
            ("by_closure", "Lock", "await closed.acquire()"),
            ("by_wait_for", "Lock", "await asyncio.wait_for(bound.acquire(), timeout=1000)"),
            ("by_key", "Lock", "await TABLE[key].acquire()"),
            ("by_number", "Lock", "await TABLE[7].acquire()"),
            ("by_attribute", "Lock", "await self.lock.acquire()"),
            ("by_permit", "BoundedSemaphore", "await PERMITS.acquire()"),
            ("by_manager", "Lock", "async with other.locked():"),
        ]
    }
    assert seen["taken_by_acquire"]["findings"] == []


def test_no_code_of_the_program_runs(seen):
    names = [task["name"] for task in seen["code_of_the_program_that_ran"]["snapshot"]["tasks"]]
    assert "none" in names


def test_an_exit_in_force_beats_what_code_says(seen):
    assert list(holders(seen, "certain_beats_likely")) == ["certain"]


def test_a_cycle_through_likely_holders_is_a_suspect(seen):
    (finding,) = seen["a_likely_cycle"]["findings"]
    assert (finding["verdict"], finding["proven"], finding["kind"]) == (
        "suspect",
        False,
        "lock_cycle",
    )
    assert sorted(finding["cycle"]) == ["x", "y"]
    assert "is read from its code, which is likely, not certain" in finding["assumes"]
    assert any("probably holds" in line for line in finding["evidence"])


def test_a_lock_that_a_task_probably_took_itself(seen):
    (finding,) = seen["a_lock_that_it_probably_took_itself"]["findings"]
    assert (finding["verdict"], finding["kind"]) == ("suspect", "self_deadlock")
    assert "which it probably took itself" in finding["summary"]


def test_a_lock_inside_of_a_manager(seen):
    found = holders(seen, "a_manager_that_wraps_a_lock")
    assert found["inside"] == [("Lock", "inside", False, "async with wrapper:")]
    assert [how for _, how, _, _ in found["counting"]] == ["stack"]


def test_locks_of_threads(seen):
    found = holders(seen, "locks_of_threads")
    assert found["plain"] == [("threading.Lock", "stack", True, "with THREAD:")]
    assert set(found["again"]) == {("threading.RLock", "stack", True, "with RTHREAD, RTHREAD:")}
    states = {
        item["name"]: item["state"] for item in seen["locks_of_threads"]["snapshot"]["resources"]
    }
    assert states["THREAD"] == states["RTHREAD"] == "locked"


@pytest.mark.parametrize("python", INTERPRETERS)
@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_random_programs(python, kind):
    found = tell(python, HERE / "random_acquires.py", kind, "0", "6")
    total = found["total"]
    likely = total["flow right"] + total["inside right"]
    wrong = total["flow wrong"] + total["inside wrong"]
    assert total["certain wrong"] == 0, found["false"]
    assert likely > 100
    if kind == "plain":
        assert wrong == 0, found["false"]
        assert total["missed"] < likely
    else:
        assert wrong < likely / 10, found["false"]
