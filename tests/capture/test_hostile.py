"""Looking at a program runs none of its code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.interpreters import CHECKOUT, INTERPRETERS

PROGRAM = Path(__file__).with_name("hostile_child.py")


@pytest.mark.parametrize("python", INTERPRETERS)
def test_no_hook_of_the_program_is_called(python) -> None:
    done = subprocess.run(
        [python, "-W", "error", str(PROGRAM)],
        check=False,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["calls"] == []
    assert {"holder", "waiter", "explicit", "awaits", "job"} <= set(found["tasks"]), done.stderr
