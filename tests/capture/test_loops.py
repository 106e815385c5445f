"""Loops and their threads, found in real programs on every interpreter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.children import tell
from tests.interpreters import runs

CHILD = Path(__file__).with_name("loops_child.py")
TYPES = {"asyncio": "asyncio.unix_events._UnixSelectorEventLoop", "uvloop": "uvloop.Loop"}


@pytest.fixture(
    params=[pytest.param(run.values, id=run.id) for run in runs("asyncio", "debug", "uvloop")]
)
def program(request):
    """``program(scenario)`` runs a child and gives back what it saw."""
    python, kind = request.param

    def run(scenario):
        return tell(python, CHILD, scenario, kind)

    run.kind = kind
    run.runner = "3.10" not in request.node.callspec.id
    return run


def test_loops_of_several_threads(program):
    seen = program("threads")
    facts = seen["facts"]
    assert seen["right"]
    assert [fact["number"] for fact in facts] == [1, 2]
    for fact in facts:
        assert fact["type"] == TYPES.get(program.kind, TYPES["asyncio"])
        assert fact["debug"] == (program.kind == "debug")
        assert (fact["running"], fact["closed"]) == (True, False)
    if program.kind == "uvloop":
        assert all(fact["ready"] is None and fact["timers"] is None for fact in facts)
    else:
        assert all(fact["ready"] == 0 and fact["timers"] == 1 for fact in facts)
    if program.kind != "uvloop" or program.runner:
        assert sorted(fact["thread"] for fact in facts) == seen["idents"]
        assert all(fact["idle"] for fact in facts)


def test_the_loop_that_runs_the_caller(program):
    seen = program("inside")
    (fact,) = seen["facts"]
    assert fact["thread"] == seen["ident"]
    assert fact["running"]
    assert not fact["idle"]
    if program.kind != "uvloop":
        assert (fact["ready"], fact["timers"]) == (1, 2)
        assert seen["waiting"] == 2


def test_each_run_has_a_loop_of_its_own(program):
    assert program("later") == {
        "seen": [0, [[1, True]], [[2, True]], [[3, True]]],
        "left": 0,
        "alive": 0,
    }


def test_a_loop_keeps_its_number(program):
    assert program("same_again")["seen"] == [
        [[1, True, False]],
        [[1, False, False]],
        [[1, True, False]],
        [[1, False, True]],
    ]


def test_a_loop_inside_a_loop(program):
    facts = program("nested")["facts"]
    assert [fact["number"] for fact in facts] == [1, 2]
    assert all(fact["running"] and not fact["idle"] for fact in facts)


def test_loops_that_raise(program):
    seen = program("hostile")
    assert [fact["number"] for fact in seen["facts"]] == [1, 2]
    assert not any(fact["running"] for fact in seen["facts"])
    assert seen["unnoted"] == 0


def test_a_look_keeps_nothing_alive(program):
    assert program("leaves_nothing")["alive"] == 0


def test_when_the_turn_began(program):
    slept, began, before = program("began")
    if program.kind == "uvloop":
        assert began is None
    else:
        assert slept + 0.04 < began <= before
