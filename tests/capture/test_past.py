"""Ended tasks with nothing patched, and what nobody lists, on every interpreter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

CHILD = Path(__file__).with_name("past_child.py")


@pytest.mark.parametrize("python", INTERPRETERS)
def test_what_is_told_of_the_past(python):
    told = tell(python, CHILD)
    assert told["ran"] >= 13
    assert not told["failed"], "\n".join(told["failed"].values())
