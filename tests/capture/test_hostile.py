"""Looking at a program runs none of its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

PROGRAM = Path(__file__).with_name("hostile_child.py")


@pytest.mark.parametrize("python", INTERPRETERS)
def test_no_hook_of_the_program_is_called(python) -> None:
    found = tell(python, PROGRAM)
    assert found["calls"] == []
    assert {"holder", "waiter", "explicit", "awaits", "job"} <= set(found["tasks"])
