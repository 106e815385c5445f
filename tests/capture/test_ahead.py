"""What a suspended task can still come to: the same on every interpreter."""

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

SETS = {
    "straight": ["late"],
    "goes_round": ["early"],
    "over_and_over": ["early", "late"],
    "behind_an_endless_call": [],
    "behind_a_call_that_ends": ["late"],
    "in_the_end": ["late"],
    "caught": ["early", "late"],
}
CALLS_HELPER = {"has_put_away", "has_stored", "calls_later"}
PERHAPS = {"has_made_a_task"}
"""On 3.10 the code does not tell a function that is called from one that is handed on."""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_what_is_ahead(python):
    found = tell(python, "-m", "tests.capture.ahead")
    assert {name: found[name]["uses"] for name in SETS} == SETS
    calls = {name for name, seen in found.items() if seen["helper"]}
    assert calls - CALLS_HELPER <= (PERHAPS if "3.10" in python else set())
    assert calls >= CALLS_HELPER
    assert {name for name, seen in found.items() if seen["manager"]} == {"inside"}
    assert len(found) == len(SETS) + 5
