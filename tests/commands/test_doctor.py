"""`doctor` of programs that are healthy, deadlocked, blocked, or both."""

from __future__ import annotations

from tests.documents import validate as valid


def test_a_deadlock_is_told_with_evidence_and_a_way_out(program):
    bank = program("bank")
    bank.until("deadlocks", lambda found: found["findings"])
    found = valid(bank.json("doctor"))
    assert [item["kind"] for item in found["findings"]] == ["lock_cycle"]
    assert found["copy"] is None or found["copy"]["pause"] >= 0
    text = bank.ask("doctor")
    assert text.startswith("Found 1 deadlock.\n")
    assert "proven deadlock (lock_cycle): " in text
    assert "Proven: none can go on before the next one does." in text
    assert "Now:    cancel " in text
    assert "Looked at 5 tasks of 1 loop, twice, and at 0 recorded stalls." in text


def test_a_healthy_program_is_told_so_calmly(program):
    awaits = program("healthy")
    text = awaits.ask("doctor")
    assert text.startswith("No finding.\nLooked at 3 tasks of 1 loop, twice")
    assert valid(awaits.json("doctor --quick"))["findings"] == []


def test_a_blocked_loop_is_a_stall_and_no_deadlock(program):
    ledger = program("ledger")
    found = valid(ledger.until("doctor", lambda found: found["findings"]))["findings"]
    assert [(item["verdict"], item["kind"]) for item in found] == [("stall", "blocking_call")]
    assert "time.sleep at programs.py" in found[0]["summary"]
    assert "nightly" in found[0]["summary"]
    roles = {(item["name"], item["role"]) for item in found[0]["tasks"]}
    assert {("nightly", "culprit"), ("heartbeat", "victim")} <= roles
    assert ledger.json("deadlocks")["findings"] == []
    text = ledger.ask("doctor")
    assert "Found 1 stall." in text
    assert "Meanwhile none of these runs: " in text
    assert "Fix:    wait with `await asyncio.sleep(...)`." in text


def test_a_deadlock_stands_above_a_stall(program):
    both = program("blocked_bank")
    found = both.until("doctor", lambda found: len(found["findings"]) == 2)["findings"]
    assert [item["verdict"] for item in found] == ["deadlock", "stall"]
    assert both.ask("doctor").startswith("Found 1 deadlock and 1 stall.\n")
