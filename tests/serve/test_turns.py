"""On which thread a program is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

pytestmark = pytest.mark.alone

CHILD = Path(__file__).with_name("turns_child.py")


def look(python, kind):
    found = tell(python, CHILD, kind)
    assert found["seen"] >= 2000, found["gaps"]
    assert found["streamed"] >= 2000
    # Collection rests while a big snapshot is alive, and goes on when it has been let go.
    assert found["rests"]
    assert found["awake"]
    return found


@pytest.mark.parametrize("python", INTERPRETERS)
def test_an_idle_loop_is_not_woken(python):
    found = look(python, "idle")
    assert found["turns"] == 0
    assert found["places"]["loop"] == 0


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_busy_loop_is_read_on_itself_in_slices(python):
    found = look(python, "busy")
    assert found["places"]["loop"] > 2000
    assert found["turns"] > 10


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_loop_that_blocks_meanwhile_is_read_from_the_side(python):
    found = look(python, "blocks")
    assert found["blocked"]
    assert found["places"]["loop"] >= 500
    assert found["places"]["side"] > 0


@pytest.mark.parametrize("python", INTERPRETERS)
def test_tasks_that_come_and_go_beside_a_blocked_loop_are_seen(python):
    """Waiting for the blocked loop must not make the list of the others' tasks an old one."""
    seen = tell(python, CHILD.with_name("beside_child.py"))
    sleeps = [task for tasks in seen for task in tasks if task[0] == "sleep"]
    assert sum(state == "sleeping" for _, state, _ in sleeps) >= 3
    assert all(frames for _, _, frames in sleeps)  # one that has ended has none
