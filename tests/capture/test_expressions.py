"""Names that only the source line gives."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.interpreters import CHECKOUT, INTERPRETERS

CHILD = Path(__file__).parent / "one_line.py"


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_block_on_its_header_s_line_lends_no_wrong_name(python):
    done = subprocess.run(
        [python, "-W", "error", str(CHILD)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.stderr
    found = {(kind, name) for kind, name in json.loads(done.stdout)}
    sure = {
        ("Event", "until in guards()"),
        ("Lock", "lock in holds()"),
        ("threading.Lock", "guard in guards()"),
    }
    assert sure <= found
    unsure = {("Future", "until in holds()"), ("Lock", "door in waits()")}
    # Before 3.11 nothing tells which of the two in the line the task stands at.
    assert unsure <= found or all(name.startswith("unnamed") for _, name in found - sure)
