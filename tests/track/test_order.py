"""Lock order on every interpreter, each check in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.children import ENVIRONMENT
from tests.interpreters import runs

PROGRAMS = Path(__file__).with_name("orders.py")
CHECKS = (
    "two",
    "consistent",
    "one_task",
    "gate",
    "other_gates",
    "instances",
    "classes",
    "three",
    "they_die",
    "nothing_leads_through_it",
    "late",
    "kinds_of_locks",
    "timeouts",
    "it_hangs",
    "bounded",
    "off_and_on",
    "random_programs",
)
# Each run is dear, and the hooks differ by version more than by kind.
RUNS = [
    run
    for run in runs("asyncio", "uvloop", "eager")
    if run.id.endswith("asyncio") or run.id in {"3.12-uvloop", "3.14-eager"}
]


@pytest.mark.parametrize(("python", "kind"), RUNS)
def test_order(python, kind):
    failed = {}
    for name in CHECKS:
        done = subprocess.run(
            [python, "-W", "error", str(PROGRAMS), kind, name],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if (done.returncode, done.stdout, done.stderr) != (0, '"done"', ""):
            failed[name] = f"{done.returncode} {done.stdout} {done.stderr}"
    assert not failed, "\n".join(f"== {name}\n{text}" for name, text in failed.items())
