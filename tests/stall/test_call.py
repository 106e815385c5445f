"""What a frame calls, in the words of its source."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.interpreters import CHECKOUT, INTERPRETERS

CALLS = Path(__file__).with_name("calls.py")


@pytest.mark.parametrize("python", INTERPRETERS)
def test_calls_are_named(python, request):
    done = subprocess.run(
        [python, "-W", "error", CALLS],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
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
