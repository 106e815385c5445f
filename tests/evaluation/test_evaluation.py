"""A part of the evaluation: an eighth of the programs on one interpreter with nothing tracked, another
eighth on another one with tracking, and a sample on each of the rest.

`make evaluate` runs all of it.
"""

import pytest

from tests.evaluation.program import programs
from tests.evaluation.score import Column, columns, evaluate
from tests.evaluation.table import made, recall
from tests.interpreters import present

pytestmark = pytest.mark.alone

UNTRACKED_ON, TRACKED_ON = "3.11", "3.13"
EACH = 32  # each n-th program, elsewhere

HOLDS = {"tracked": 0.90, "untracked": 0.88}
"""What the rules find at least, on a machine with too much to do as well; it only goes up. A quiet
one finds more: see docs/verdicts.md."""


def parts():
    """Name to the runs of it: pairs of a program and a column."""
    chosen, there = programs(), present()
    found = {}
    if UNTRACKED_ON in there:
        way = Column(UNTRACKED_ON, "asyncio", track=False)
        found["untracked"] = [(program, way) for program in chosen[::8]]
    if TRACKED_ON in there:
        way = columns([TRACKED_ON], ["uvloop", "asyncio"], [True])[0]
        found["tracked"] = [(program, way) for program in chosen[3::8]]
    others = sorted(set(there) - {UNTRACKED_ON, TRACKED_ON})
    found["sample"] = [
        (program, way)
        for number, version in enumerate(others)
        for way in columns([version], [("asyncio", "uvloop")[number % 2], "asyncio"], [True])[:1]
        for program in chosen[number::EACH]
    ]
    return found


PARTS = parts()


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("part", PARTS)
def test_verdicts(part):
    results = evaluate(PARTS[part])
    table = made(results)
    deadlocks = [
        text for result in results for text in result.score.false if text.startswith("deadlock")
    ]
    assert not deadlocks, table
    silent = [result for result in results if result.answer.error]
    assert len(silent) <= len(results) / 50, table  # while C code holds the GIL, nothing answers
    if part in HOLDS:
        assert recall(results) >= HOLDS[part], table
