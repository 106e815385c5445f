"""The two-lock deadlock, from the first look to letting go, through `connect -c`."""

from __future__ import annotations

import pytest

from tests.interpreters import INTERPRETERS


def hangs(document):
    waiting = [task for task in document["tasks"] if (task["waiting"] or {}).get("kind") == "lock"]
    return len(waiting) == 3


@pytest.fixture(params=INTERPRETERS)
def bank(program, request):
    found = program("bank", python=request.param)
    found.until("ps", hangs)
    return found


def test_the_whole_story(bank, valid):
    tasks = valid(bank.json("ps"))
    names = {task["name"]: task for task in tasks["tasks"]}
    assert names["transfer:a→b"]["waiting"]["name"] == "LOCKS['bob']"
    assert names["heartbeat"]["state"] == "sleeping"
    assert tasks["total"] == tasks["shown"] == len(tasks["tasks"])

    locks = {item["name"]: item for item in valid(bank.json("locks"))["resources"]}
    alice = locks["LOCKS['alice']"]
    assert [holder["name"] for holder in alice["holders"]] == ["transfer:a→b"]
    assert {waiter["name"] for waiter in alice["waiters"]} == {"transfer:b→a", "audit"}

    where = bank.ask("where transfer:a→b")
    assert "← holds" in where
    assert "LOCKS['alice']" in where
    assert "← waits here" in where
    assert "async with LOCKS[source]:" in where

    diagnosis = valid(bank.json("deadlocks"))
    (finding,) = diagnosis["findings"]
    assert (finding["verdict"], finding["kind"]) == ("deadlock", "lock_cycle")
    assert bank.ask("deadlocks").startswith("Found 1 deadlock: ")
    # an ended deadlock command leaves no trace: it can be asked again
    assert bank.ask("lock L1").count("the holder now") == 1

    said = bank.ask("cancel transfer:b→a")
    assert "frees LOCKS['bob']" in said
    assert "cancelled after" in said
    assert "transfer:a→b" in said.splitlines()[-1]
    bank.until("ps", lambda found: not hangs(found) and len(found["tasks"]) == 3)
    assert bank.ask("deadlocks").startswith("Found no deadlock")
    assert bank.process.stdout.readline() == "transferred alice bob\n"
    assert bank.process.stdout.readline() == "audited\n"


def test_every_command_has_a_document(program, valid):
    bank = program("bank")
    bank.until("ps", hangs)
    for command in (
        "help",
        "help ps",
        "loops",
        "ps",
        "ps --group",
        "where audit",
        "tree",
        "locks",
        "locks --all",
        "lock \"LOCKS['bob']\"",
        "deadlocks",
        "cancel heartbeat",
        "stacktrace",
        "stalls",
        "probe",
        "version",
    ):
        document = valid(bank.json(command))
        assert document["schema"].startswith("asyncconsole/"), command


def test_loops_and_stacks(program):
    bank = program("bank")
    bank.until("ps", hangs)
    (loop,) = bank.json("loops")["loops"]
    assert loop["running"]
    assert loop["thread"] == "MainThread"
    assert loop["tasks"] == 5
    threads = bank.json("stacktrace")["threads"]
    assert [thread["name"] for thread in threads] == ["MainThread"]
    assert threads[0]["loop"] == loop["id"]


def test_a_tree_of_a_gather(program):
    bank = program("bank")
    bank.until("ps", hangs)
    tree = bank.ask("tree")
    assert "├─ " in tree
    assert "└─ " in tree
    assert "↺" not in tree


def test_filters_sorting_and_groups(program):
    crowd = program("crowd")
    crowd.until("ps", lambda found: found["total"] == 51)
    waiting = crowd.json("ps --waiting semaphore")
    assert waiting["total"] == 48
    assert crowd.json("ps fetch:1 --limit 3")["shown"] == 3
    assert crowd.json("ps fetch:1 --limit 3")["total"] == 11
    assert crowd.json("ps fetch:4?")["total"] == 10
    assert crowd.json("ps --state running")["total"] == 0
    assert crowd.json("ps --older 500")["total"] == 0
    assert crowd.json("ps --loop 1")["total"] == 51
    names = [task["name"] for task in crowd.json("ps --sort name")["tasks"]]
    assert names == sorted(names)
    groups = crowd.ask("ps --group")
    assert "51 tasks in 3 groups" in groups
    locks = crowd.ask("locks")
    assert "and 38 more" in locks
    assert "and 38 more" not in crowd.ask("locks --all")
    (gate,) = [item for item in crowd.json("locks")["resources"] if item["type"] == "Semaphore"]
    assert len(gate["holders"]) == 2
    assert [waiter["position"] for waiter in gate["waiters"]] == list(range(1, 49))


def test_every_loop_of_the_process_is_there(program):
    both = program("two_loops")
    both.until("ps", lambda found: found["total"] == 7)
    loops = both.json("loops")["loops"]
    assert {loop["thread"] for loop in loops} == {"MainThread", "second"}
    number = next(loop["id"] for loop in loops if loop["thread"] == "second")
    names = [task["name"] for task in both.json(f"ps --loop {number}")["tasks"]]
    assert "other-loop's" in names
    found = both.json("deadlocks")["findings"]
    assert sorted(item["kind"] for item in found) == ["lock_cycle", "self_deadlock"]


def test_how_long_a_task_has_waited_is_known_before_anybody_asked(program):
    bank = program("bank")
    assert bank.process.stderr.readline() == "80 beats\n"
    # nobody has typed a command yet; a beat of the probe has seen the waits
    assert bank.json("ps --older 1")["total"] >= 3
