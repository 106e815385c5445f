"""`asyncconsole.dump`: everything as text, from wherever it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import children
from tests.interpreters import INTERPRETERS, runs

CHILD = Path(__file__).with_name("dump_child.py")
PARTS = ["Verdict", "Loops", "Tasks", "Locks", "Stacks of tasks", "Stalls", "Threads"]


def told(scenario, python, kind="asyncio"):
    return children.tell(python, CHILD, scenario, kind)


def parts(text):
    """A dump's parts by their headings, after a check that it is whole."""
    head, *rest = text.split("\n-- ")
    assert head.startswith("== asyncconsole dump: pid ")
    assert "dump_child.py" in head
    assert f"CPython {text.split('CPython ')[1].split(',')[0]}" in head
    assert text.splitlines()[-1].startswith("== end of dump of pid ")
    assert "defect of asyncconsole" not in text
    found = {piece.splitlines()[0].rstrip("- "): piece.split("\n", 1)[1] for piece in rest}
    assert list(found) == PARTS
    return found


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_in_the_loops_thread_and_in_another(python, kind):
    seen = told("inside", python, kind)
    for where, text in seen.items():
        found = parts(text)
        assert "Found 1 deadlock." in found["Verdict"]
        assert "proven deadlock (lock_cycle)" in found["Verdict"]
        assert "\x1b" not in text
        assert "a→b" in found["Tasks"]
        assert "3 tasks" in found["Tasks"]
        assert "LOCKS['alice']" in found["Locks"]
        assert "← holds" in found["Stacks of tasks"]
        assert "← waits here" in found["Stacks of tasks"]
        first, second = found["Stacks of tasks"].split("\n\n")[:2]
        assert {first[:3], second[:3]} == {"a→b", "b→a"}  # who is stuck comes first
        assert "No console runs" in found["Stalls"]
        assert "MainThread" in found["Threads"]
        assert "serve/dump.py" not in text
        if where == "here":
            assert "asyncconsole.dump(out)" in found["Threads"].splitlines()[-3]


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_while_the_loop_is_blocked(python, kind):
    seen = told("standing", python, kind)
    assert seen["blocked"]
    found = parts(seen["text"])
    assert "hold_up" in found["Threads"]
    assert "1 task" in found["Tasks"]


@pytest.mark.parametrize("python", INTERPRETERS)
def test_with_a_console_it_knows_of_stalls(python):
    found = parts(told("watched", python)["text"])
    assert "blocking call" in found["Stalls"]
    assert "time.sleep" in found["Stalls"]


@pytest.mark.parametrize("python", INTERPRETERS)
def test_what_is_too_much_is_left_out_and_said_so(python):
    text = told("many", python)["text"]
    found = parts(text)
    assert "1501 tasks, 1000 shown" in found["Tasks"]
    assert found["Stacks of tasks"].count("← waits here") <= 200
    assert "and 4 more tasks at the same place: t3" in found["Stacks of tasks"]
    assert "more tasks at 101 other places not shown." in found["Stacks of tasks"]


@pytest.mark.parametrize("python", INTERPRETERS)
def test_without_a_loop(python):
    found = parts(told("without_a_loop", python)["text"])
    assert "No event loop was found" in found["Verdict"]
    assert "No tasks." in found["Stacks of tasks"]
    assert "MainThread" in found["Threads"]


@pytest.mark.parametrize("python", INTERPRETERS)
def test_files_of_all_kinds(python):
    seen = told("odd_files", python)
    assert "a\\u2192b" in parts(seen["narrow"])["Tasks"]
    assert "No space left" in seen["raised"]
    assert "a→b" in parts(seen["usual"])["Tasks"]
    assert seen["pieces"] > len(PARTS)
