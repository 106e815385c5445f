"""What is seen of loops that spin, and of those that wait: with loops that really do."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncconsole.diagnose.rules.busy_callbacks import LEAST, MOST_OF
from tests import children
from tests.interpreters import runs

pytestmark = pytest.mark.alone

CHILD = Path(__file__).with_name("busy_child.py")


def looks(scenario, python, kind):
    """All that again and again some looks saw of the program's only loop."""
    return [busy for found in children.tell(python, CHILD, scenario, kind) for busy in found]


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "debug"))
@pytest.mark.parametrize(
    ("scenario", "function", "watched"),
    [
        ("readable", "on_readable", True),
        ("writable", "on_writable", True),
        ("again", "again", False),
    ],
)
def test_a_loop_that_spins(scenario, function, watched, python, kind):
    # In debug mode a callback that schedules itself hardly lets go of the GIL.
    found = [busy for busy in looks(scenario, python, kind) if busy["looks"] >= LEAST]
    assert found
    for busy in found:
        assert (busy["function"], busy["watched"]) == (function, watched)
        assert busy["found"] >= MOST_OF * busy["looks"]
        assert busy["turns"] != 1
        assert busy["answer"] is not None


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "debug"))
def test_a_loop_that_waits_is_left_alone(python, kind):
    assert looks("waits", python, kind) == []


@pytest.mark.parametrize(("python", "kind"), runs("asyncio"))
def test_waiting_is_no_callback(python, kind):
    for busy in looks("breath", python, kind):
        assert busy["function"] in {"breath", ""}
        assert busy["found"] < MOST_OF * busy["looks"]
