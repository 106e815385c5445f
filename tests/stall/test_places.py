"""The probe of a console with several loops, restarts, forks, and a loop that runs for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import children
from tests.interpreters import runs

pytestmark = pytest.mark.alone

CHILD = Path(__file__).with_name("places_child.py")


def told(scenario, python, kind):
    own = ("-W", "ignore::DeprecationWarning:__main__")  # 3.12+ warns of any fork beside a thread
    return children.tell(python, *own, CHILD, scenario, kind)


def check(stall, task):
    """A stall that is the one of that task."""
    assert (stall["task"], stall["kind"], stall["call"]) == (task, "blocking_call", "time.sleep")
    assert stall["function"] == "block"
    assert stall["duration"] >= 0.5


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_loops_of_several_threads(python, kind):
    stalls = told("threads", python, kind)
    assert len({stall["loop"] for stall in stalls}) == 3
    for stall, task in zip(
        sorted(stalls, key=lambda stall: stall["task"]),
        ["worker:0", "worker:1", "worker:2"],
        strict=True,
    ):
        check(stall, task)


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_one_run_after_the_other(python, kind):
    seen = told("restarts", python, kind)
    assert [stall["loop"] for stall in seen["stalls"]] == [1, 2, 3, 4]
    for number, stall in enumerate(seen["stalls"]):
        check(stall, f"run:{number}")
    assert seen["left"] <= 1  # uvloop before 3.14 may have its last one in a cycle


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_a_child_forked_inside_a_running_loop(python, kind):
    seen = told("forked", python, kind)
    assert seen["status"] == 0
    assert not seen["child"]["closed"]
    assert seen["child"]["mine"]
    (childs,) = seen["child"]["stalls"]
    check(childs, "child")
    (parents,) = seen["stalls"]
    check(parents, "parent")


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_started_by_a_cell_of_a_notebook(python, kind):
    seen = told("notebook", python, kind)
    assert seen["3"] == []
    assert seen["4"] == ["cell:4"]
    assert seen["5"] == ["cell:4"]
    assert seen["7"] == []
    assert seen["8"] == ["cell:8"]
