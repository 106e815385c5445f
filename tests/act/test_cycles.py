"""Await cycles through a TaskGroup can be cancelled, whichever of their tasks is named."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.interpreters import CHECKOUT, INTERPRETERS


@pytest.mark.parametrize("python", [run for run in INTERPRETERS if run.id != "3.10"])
def test_a_cycle_through_a_task_group(python):
    done = subprocess.run(
        [python, "-W", "error", "-m", "tests.act.cycles"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "parent of 1": ["cancelled", [True, True]],
        "child-0 of 1": ["cancelled", [True, True]],
        "parent of 3": ["cancelled", [True, True, True, True]],
    }
