"""The proof by trial deletion against the truth of random programs, and provers with a mistake."""

from __future__ import annotations

import pytest

from tests.children import tell
from tests.diagnose import broken_provers
from tests.interpreters import CHECKOUT, INTERPRETERS

PROGRAM = CHECKOUT / "tests" / "diagnose" / "random_waits.py"
PROGRAMS = 60
"""Random programs for each interpreter."""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_nobody_who_is_called_stuck_goes_on(python):
    told = tell(python, PROGRAM, "0", str(PROGRAMS), quiet=False)
    assert told["wrong"] == []
    assert told["called"] > 0.3 * told["truth"] > 0


@pytest.mark.parametrize("name", broken_provers.NAMES)
def test_a_broken_prover_is_caught(name):
    import sys

    for first in range(0, 600, 60):
        if tell(sys.executable, PROGRAM, str(first), "60", name, quiet=False)["wrong"]:
            return
    pytest.fail(f"{name} was not caught")
