"""What a frame calls, in the words of its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

CALLS = Path(__file__).with_name("calls.py")


@pytest.mark.parametrize("python", INTERPRETERS)
def test_calls_are_named(python, request):
    said = tell(python, CALLS)
    # 3.10 knows the line alone.
    old = request.node.callspec.id == "3.10"
    assert said == {
        "method": "thing.look",
        "lines": "thing.look",
        "condition": "thing.look",
        "item": "" if old else 'things["a"].look',
        "umlauts": "thing.look",
        "with": "with thing",
        "operator": "",
        "await": "deep",
        "no source": "",
        "binary": "",
    }
