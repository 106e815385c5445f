"""Await cycles through a TaskGroup can be cancelled, whichever of their tasks is named."""

from __future__ import annotations

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS


@pytest.mark.parametrize("python", [run for run in INTERPRETERS if run.id != "3.10"])
def test_a_cycle_through_a_task_group(python):
    assert tell(python, "-m", "tests.act.cycles") == {
        "parent of 1": ["cancelled", [True, True]],
        "child-0 of 1": ["cancelled", [True, True]],
        "parent of 3": ["cancelled", [True, True, True, True]],
    }
