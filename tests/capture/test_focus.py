"""The shorter ways to read a program tell the same as reading all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

CHILD = Path(__file__).with_name("focus_child.py")


@pytest.mark.parametrize("python", INTERPRETERS)
def test_shorter_ways_tell_the_same(python):
    differences = tell(python, CHILD)
    assert len(differences) > 20
    assert {name: found for name, found in differences.items() if found} == {}
