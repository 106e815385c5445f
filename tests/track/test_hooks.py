"""The hooks on every interpreter and every kind of loop, each check in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.children import ENVIRONMENT
from tests.interpreters import runs

PROGRAMS = Path(__file__).with_name("programs.py")
CHECKS = (
    "keywords",
    "eager_is_kept",
    "own_factories",
    "never_retrieved",
    "creation_chain",
    "gathered",
    "nothing_is_kept_alive",
    "a_rush",
    "cancellers",
    "explicit_deadlock",
    "a_signal_is_no_deadlock",
    "acquired_in_a_rush",
    "locks_work",
    "held_with_nobody_waiting",
    "any_order",
    "on_and_off",
)


# Each run is dear: the hooks differ by version, and by kind only between the two ways to hook.
RUNS = [
    run
    for run in runs("asyncio", "debug", "uvloop", "eager")
    if run.id.endswith("asyncio")
    or run.id in {"3.12-uvloop", "3.14-uvloop", "3.12-eager", "3.14-eager", "3.14-debug"}
]


@pytest.mark.parametrize(("python", "kind"), RUNS)
def test_hooks(python, kind):
    children = {
        name: subprocess.Popen(
            [python, "-W", "error", str(PROGRAMS), kind, name],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in CHECKS
    }
    failed = {}
    for name, child in children.items():
        out, error = child.communicate(timeout=60)
        if (child.returncode, out, error) != (0, '"done"', ""):
            failed[name] = f"{child.returncode} {out} {error}"
    assert not failed, "\n".join(f"== {name}\n{text}" for name, text in failed.items())
