"""How good an answer is: pure, from a program's `EXPECT` and the diagnosis of the console."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from tests.evaluation.program import Program

Finding = dict[str, Any]
FALSE = {"deadlock", "stall"}  # what no healthy program may be told
ACCUSED = {"stuck", "cause", "culprit", "holder"}


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """One program's answer, judged.

    Attributes:
        recalled: A finding of an acceptable kind and verdict names all that is stuck.
        exact: The same of the very kind.
        cause: Every word of the cause is in those findings.
        accused: Bystanders that a finding accuses.
        false: What was said wrongly with certainty: a deadlock or stall of a healthy program, or a
            deadlock in which a bystander is stuck.
        doubts: Suspects and leaks of a healthy program.
    """

    recalled: bool
    exact: bool
    cause: bool
    accused: tuple[str, ...]
    false: tuple[str, ...]
    doubts: tuple[str, ...]


def brief(finding: Finding) -> str:
    return f"{finding['verdict']} {finding['kind']}: {finding['summary']}"


def names(finding: Finding, roles: Iterable[str] | None = None) -> set[str]:
    """Names of a finding's tasks in these roles; in all but victim when none are given."""
    return {
        task["name"]
        for task in finding["tasks"]
        if (task["role"] != "victim" if roles is None else task["role"] in roles)
    }


def judge(program: Program, findings: list[Finding]) -> Score:
    """Compare findings with what the program expects."""
    if program.healthy:
        return Score(
            recalled=False,
            exact=False,
            cause=False,
            accused=(),
            false=tuple(brief(f) for f in findings if f["verdict"] in FALSE),
            doubts=tuple(brief(f) for f in findings if f["verdict"] not in FALSE),
        )

    def right(kinds: set[str] | frozenset[str]) -> list[Finding]:
        """The findings of these kinds, if together they name all that is stuck."""
        found = [f for f in findings if f["kind"] in kinds and f["verdict"] in program.verdicts]
        named = set().union(*map(names, found))
        return found if program.stuck <= named else []

    good = right(program.also | {program.kind})
    words = json.dumps(good, ensure_ascii=False)
    return Score(
        recalled=bool(good),
        exact=bool(right({program.kind})),
        cause=bool(good) and all(word in words for word in program.cause),
        accused=tuple(
            f"{name} in {brief(f)}"
            for f in findings
            for name in sorted(names(f, ACCUSED) & program.bystanders)
        ),
        false=tuple(
            brief(f)
            for f in findings
            if f["verdict"] == "deadlock" and names(f, {"stuck"}) & program.bystanders
        ),
        doubts=(),
    )
