"""`start(watch=S)`: what is wrong is logged, once, soon, and with the whole verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import asyncconsole
from tests.children import run, tell
from tests.interpreters import INTERPRETERS

PROGRAM = Path(__file__).with_name("watched.py")


def told(name, python, seconds="0.4"):
    done = run(python, PROGRAM, name, seconds, quiet=False)  # stalls are logged to stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_deadlock_is_logged_once_and_again_when_it_forms_anew(python):
    first, second = told("cycle", python)
    for found in (first, second):
        assert (found["kind"], found["verdict"], found["level"]) == (
            "lock_cycle",
            "deadlock",
            "ERROR",
        )
        assert found["text"].startswith("proven deadlock (lock_cycle): ")
        assert "holds" in found["text"]
        assert "Fix: " in found["text"]
    assert first["text"] != second["text"]


def test_each_stall_is_logged_once():
    found = told("blocked", INTERPRETERS[1].values[0])
    assert [(item["kind"], item["level"]) for item in found] == [("blocking_call", "WARNING")] * 2
    assert all("time.sleep at watched.py" in item["text"] for item in found)


def test_of_a_healthy_program_nothing_is_logged():
    assert told("healthy", INTERPRETERS[2].values[0]) == []


def test_a_copy_is_made_once_for_what_does_not_move():
    *found, count = told("copies", INTERPRETERS[1].values[0])
    assert count == {"copies": 1}
    assert [item["kind"] for item in found] == ["event_never_set"]


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_wrong_interval_is_refused(seconds):
    with pytest.raises(ValueError, match="watch="):
        asyncconsole.start(watch=seconds)


@pytest.mark.parametrize("python", INTERPRETERS)
def test_diagnose_finds_what_doctor_does(python):
    there, here, stalled = tell(python, PROGRAM.with_name("looked.py"), quiet=False)
    assert there == ["event_never_set"]
    assert here == []  # no copy in the loop's own thread
    assert "blocking_call" in stalled
