"""Services in which nearly everybody waits, and nothing is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.children import connect
from tests.flows import services
from tests.flows.test_programs import running
from tests.interpreters import present

PROGRAM = Path(__file__).parent / "services.py"
HELPERS = {"task", "listen", "silent", "main"}
NAMES = [
    name
    for name, value in vars(services).items()
    if getattr(value, "__module__", "") == services.__name__
    and callable(value)
    and not isinstance(value, type)
    and name not in HELPERS
]


def healthy(python, name, valid, *arguments):
    with running(python, PROGRAM, name, *arguments) as port:
        for command in ("deadlocks", "doctor"):
            done = connect(port, command, options=("--json", "--timeout", "60"), timeout=90)
            assert done.returncode == 0, done.stderr
            found = valid(json.loads(done.stdout))["findings"]
            # The machine of the test may be so busy that a loop is late.
            assert [item["summary"] for item in found if item["verdict"] != "stall"] == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong(name, valid):
    healthy(sys.executable, name, valid)


@pytest.mark.parametrize(
    ("version", "loop", "name"),
    [
        *(("3.10", "uvloop", name) for name in NAMES[::6]),
        *(("3.14", "asyncio", name) for name in NAMES[3::6]),
    ],
)
def test_nothing_is_wrong_elsewhere(version, loop, name, valid):
    python = present().get(version)
    if python is None:
        pytest.skip(f"there is no CPython {version} here")
    healthy(python, name, valid, loop)
