"""An answer is judged as the evaluation says."""

from pathlib import Path

import pytest

from tests.evaluation.judge import judge
from tests.evaluation.program import Program

HUNG = Program(
    path=Path("lock_cycle__x.py"),
    kind="lock_cycle",
    healthy=False,
    also=frozenset({"lock_task_cycle"}),
    verdicts=frozenset({"deadlock"}),
    stuck=frozenset({"a", "b"}),
    cause=("LOCKS",),
    bystanders=frozenset({"beat"}),
    tracked=False,
    python=(3, 10),
)
FINE = Program(
    path=Path("lock_cycle__y_healthy.py"),
    kind="lock_cycle",
    healthy=True,
    also=frozenset(),
    verdicts=frozenset(),
    stuck=frozenset(),
    cause=(),
    bystanders=frozenset(),
    tracked=False,
    python=(3, 10),
)


def finding(kind="lock_cycle", verdict="deadlock", summary="LOCKS are crossed", **roles):
    tasks = [{"id": 1, "name": name, "role": role} for name, role in roles.items()]
    return {"kind": kind, "verdict": verdict, "summary": summary, "tasks": tasks}


def test_all_that_is_right():
    score = judge(HUNG, [finding(a="stuck", b="holder", beat="victim")])
    assert (score.recalled, score.exact, score.cause) == (True, True, True)
    assert not score.accused
    assert not score.false


def test_findings_name_the_stuck_together():
    assert judge(HUNG, [finding(a="stuck"), finding(b="stuck")]).recalled


@pytest.mark.parametrize(
    "found",
    [
        [],
        [finding(a="stuck")],
        [finding(a="stuck", b="victim")],
        [finding("event_never_set", a="stuck", b="stuck")],
        [finding(verdict="suspect", a="stuck", b="stuck")],
    ],
)
def test_what_is_missed(found):
    score = judge(HUNG, found)
    assert not score.recalled
    assert not score.cause


def test_another_kind_that_is_right_is_not_the_very_kind():
    score = judge(HUNG, [finding("lock_task_cycle", summary="crossed", a="stuck", b="stuck")])
    assert (score.recalled, score.exact, score.cause) == (True, False, False)


def test_a_bystander_is_accused():
    score = judge(HUNG, [finding(verdict="suspect", beat="holder")])
    assert len(score.accused) == 1
    assert not score.false


def test_a_bystander_that_is_called_deadlocked_is_a_false_verdict():
    score = judge(HUNG, [finding(a="stuck", b="stuck", beat="stuck")])
    assert score.recalled
    assert len(score.false) == 1


def test_a_healthy_program_may_be_doubted_but_not_condemned():
    found = [finding(verdict=verdict) for verdict in ("deadlock", "stall", "suspect", "leak")]
    score = judge(FINE, found)
    assert [text.split()[0] for text in score.false] == ["deadlock", "stall"]
    assert [text.split()[0] for text in score.doubts] == ["suspect", "leak"]
