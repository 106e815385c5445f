"""Blocked loops, tasks that won't be cancelled, and words that mean nothing."""

from __future__ import annotations

import pytest

from tests.interpreters import INTERPRETERS


@pytest.fixture
def awaits(program):
    found = program("awaits")
    found.until("ps", lambda document: document["total"] == 10)
    return found


@pytest.mark.parametrize("python", INTERPRETERS)
def test_everything_answers_while_the_loop_is_blocked(program, valid, python):
    ledger = program("ledger", python=python)
    stall = ledger.until("stalls", lambda found: found["stalls"])["stalls"][-1]
    valid(ledger.json("stalls"))
    assert stall["ongoing"]
    assert stall["kind"] == "blocking_call"
    assert stall["task_name"] == "nightly"
    assert stall["frame"]["function"] == "read_ledger"
    assert "time.sleep" in stall["call"]
    tasks = {task["name"]: task for task in ledger.json("ps")["tasks"]}
    assert tasks["nightly"]["state"] == "running"
    assert tasks["nightly"]["where"]["function"] == "read_ledger"
    assert "← runs here" in ledger.ask("where nightly")
    (loop,) = ledger.json("loops")["loops"]
    assert loop["blocked"] > 0
    assert "BLOCKED" in ledger.ask("loops")
    assert "time.sleep" in ledger.ask("stalls")
    for command in ("locks", "tree", "deadlocks", "stacktrace", "help", "version"):
        assert ledger.ask(command)
    said = ledger.ask("cancel heartbeat --wait 0.3", code=1)
    assert "has been blocked for" in said
    assert "read_ledger" in said
    assert "the request stays" in said


def test_the_probe_can_be_turned_off_and_on(program):
    ledger = program("bank")
    assert ledger.json("probe off")["on"] is False
    assert ledger.json("stalls")["stalls"] or "probe is off" in ledger.ask("stalls")
    document = ledger.json("probe on --threshold 0.1")
    assert (document["on"], document["threshold"]) == (True, 0.1)
    ledger.ask("probe --threshold 0", code=2)
    assert "0.01 to 3600" in ledger.complaint


@pytest.mark.parametrize("python", INTERPRETERS)
def test_an_await_cycle_can_be_cancelled(program, python):
    awaits = program("awaits", python=python)
    awaits.until("ps", lambda document: document["total"] == 10)
    assert "Found 1 deadlock" in awaits.ask("deadlocks")
    assert "↺ cycle" in awaits.ask("tree")
    (outcome,) = awaits.json("cancel x")["outcomes"]
    assert outcome["outcome"] == "cancelled"
    gone = {task["name"] for task in awaits.json("ps")["tasks"]}
    assert not gone & {"x", "y"}


def test_a_task_that_catches_the_request(awaits):
    (outcome,) = awaits.json("cancel stubborn --wait 2", code=1)["outcomes"]
    assert outcome["outcome"] == "swallowed"
    assert "programs.py:" in outcome["detail"]


def test_a_task_that_ends_without_being_cancelled(awaits):
    (outcome,) = awaits.json("cancel returns")["outcomes"]
    assert (outcome["outcome"], outcome["detail"]) == ("finished", "it returned")


def test_a_task_that_takes_its_time_is_reported_as_still_there(awaits):
    (outcome,) = awaits.json("cancel slow-to-end --wait 0.2", code=1)["outcomes"]
    assert outcome["outcome"] in {"pending", "swallowed"}
    assert "programs.py:" in outcome["detail"]


def test_a_tree_is_cancelled_from_the_awaiter_down(awaits):
    outcomes = awaits.json("cancel parent --tree")["outcomes"]
    assert [outcome["name"] for outcome in outcomes] == ["parent", "child"]
    assert {outcome["outcome"] for outcome in outcomes} <= {"cancelled", "done"}


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("cancle 3", 2, "Did you mean `cancel`?"),
        ("ps --stat waiting", 2, "Did you mean `--state`?"),
        ("ps --state sleepy", 2, "invalid choice"),
        ("where", 2, "required: TASK"),
        ("where nobody-here", 1, "No task `nobody-here`"),
        ("where stuborn", 1, "Did you mean `stubborn`?"),
        ("where twin", 1, "2 tasks are called `twin`"),
        ("where 99999", 1, "No task `99999`"),
        ("lock L9999", 1, "No lock `L9999`"),
        ("cancel twin", 1, "Use a number"),
        ("cancel x --wait -1", 2, "seconds from 0 to 60"),
        ("ps 'unclosed", 2, "Close the quote"),
        ("ps \udcff", 0, ""),
    ],
)
def test_bad_input_gets_one_line(awaits, line, code, words):
    awaits.ask(line, code=code)
    assert words in awaits.complaint
    assert awaits.complaint.count("\n") <= 1
    assert "Traceback" not in awaits.complaint


def test_a_task_by_its_address(awaits):
    (task,) = [task for task in awaits.json("ps")["tasks"] if task["name"] == "stubborn"]
    where = awaits.json("where stubborn")
    assert where["task"]["id"] == task["id"]
    assert awaits.json(f"where {task['id']}")["task"]["name"] == "stubborn"
