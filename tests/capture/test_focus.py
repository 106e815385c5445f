"""The shorter ways to read a program tell the same as reading all of it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.interpreters import CHECKOUT, INTERPRETERS

CHILD = Path(__file__).with_name("focus_child.py")


@pytest.mark.parametrize("python", INTERPRETERS)
def test_shorter_ways_tell_the_same(python):
    done = subprocess.run(
        [python, "-W", "error", str(CHILD)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    differences = json.loads(done.stdout)
    assert len(differences) > 20
    assert {name: found for name, found in differences.items() if found} == {}
