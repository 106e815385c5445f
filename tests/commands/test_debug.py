"""`debug`: asyncio's debug mode of a running, a blocked and a foreign loop, on and off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import children
from tests.interpreters import INTERPRETERS, runs

CHILD = Path(__file__).with_name("debug_child.py")


def told(scenario, python, kind="asyncio"):
    """What a program saw."""
    return children.tell(python, CHILD, scenario, kind)


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop", "eager"))
def test_on_and_off_at_run_time(valid, python, kind):
    seen = told("switch", python, kind)
    (before,) = valid(seen["status"])["loops"]
    assert (before["debug"], before["slow"], before["pending"]) == (False, 0.1, False)
    (on,) = valid(seen["on"])["loops"]
    assert (on["debug"], on["slow"], on["why"]) == (True, 0.05, None)
    assert on["was"] == {"debug": False, "slow": 0.1}
    assert seen["origin_on"] > 0  # the thread keeps where coroutines were made
    assert ["slow", "took"] in seen["logged"]
    assert seen["wrong_thread"] == "RuntimeError"
    (off,) = valid(seen["off"])["loops"]
    assert (off["debug"], off["slow"]) == (False, 0.05)
    assert seen["origin_off"] == 0
    assert seen["logged_off"] == []
    assert "The program pays" in seen["text"]


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_a_blocked_loop_gets_to_it_later(valid, python, kind):
    seen = told("blocked", python, kind)
    (asked,) = valid(seen["asked"])["loops"]
    assert (asked["debug"], asked["pending"]) == (False, True)
    assert "has been blocked for" in asked["why"]
    assert "hold_up" in asked["why"]
    assert asked["slow"] == 0.05  # that much is in effect at once
    (taken_back,) = valid(seen["taken_back"])["loops"]
    assert (taken_back["debug"], taken_back["pending"]) == (False, False)
    (again,) = valid(seen["again"])["loops"]
    assert again["pending"]
    assert seen["after"] is True


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
@pytest.mark.parametrize("python", INTERPRETERS)
def test_the_consoles_end_puts_back_what_is_still_its_own(python, kind):
    seen = told("closing", python, kind)
    assert seen["ours"] == [[False, 0.1], [True, 0.3]]  # the other loop's settings are not ours
    assert seen["theirs"] == [True, 7.0]  # the program has set its own meanwhile


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_tls_handshake_under_way_ends_well(python):
    assert told("handshake", python) == {"answer": "hello", "complaints": []}


def test_words_that_are_wrong(program):
    healthy = program("healthy")
    for words, code, said in (
        ("debug on --slow 0", 2, "0.0001 to 3600"),
        ("debug on --slow nan", 2, "0.0001 to 3600"),
        ("debug maybe", 2, "invalid choice"),
        ("debug on --loop 99", 1, "No loop 99"),
    ):
        healthy.ask(words, code=code)
        assert said in healthy.complaint
        assert healthy.complaint.count("\n") == 1


def test_a_read_only_console_tells_and_does_not_change(program):
    healthy = program("healthy", "asyncio", "read-only")
    assert json.loads(healthy.ask("debug --json"))["loops"][0]["debug"] is False
    for words in ("debug on", "debug off", "debug --slow 3"):
        healthy.ask(words, code=1)
        assert "read-only" in healthy.complaint
    assert healthy.json("debug status")["loops"][0]["slow"] == 0.1
