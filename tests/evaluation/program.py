"""The programs of the evaluation, and what each says of itself."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

FOLDER = Path(__file__).parent / "programs"


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """A program, with its ``EXPECT``.

    Attributes:
        path: Its file.
        kind: What hangs in it, or what a healthy one looks like.
        healthy: Whether nothing is wrong in it.
        also: Other kinds that are right answers too.
        verdicts: Verdicts that are right.
        stuck: Tasks that a finding must name in any role but victim.
        cause: Words that must occur in a finding.
        bystanders: Tasks that no finding may accuse.
        tracked: Whether it can only be found when tasks and locks are tracked.
        python: The oldest interpreter that runs it, as (3, 11).
    """

    path: Path
    kind: str
    healthy: bool
    also: frozenset[str]
    verdicts: frozenset[str]
    stuck: frozenset[str]
    cause: tuple[str, ...]
    bystanders: frozenset[str]
    tracked: bool
    python: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    def runs_on(self, version: str) -> bool:
        """Whether an interpreter such as ``3.10`` can run it."""
        return as_tuple(version) >= self.python


def as_tuple(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def read(path: Path) -> Program:
    """Read what a program expects, without running it."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXPECT":
            expect = ast.literal_eval(node.value)
            break
    else:
        msg = f"{path.name} has no EXPECT"
        raise ValueError(msg)
    healthy = expect.get("healthy", False)
    return Program(
        path=path,
        kind=expect["like" if healthy else "kind"],
        healthy=healthy,
        also=frozenset(expect.get("also", ())),
        verdicts=frozenset(expect.get("verdict", ())),
        stuck=frozenset(expect.get("stuck", ())),
        cause=tuple(expect.get("cause", ())),
        bystanders=frozenset(expect.get("bystanders", ())),
        tracked=expect.get("tracked", False),
        python=as_tuple(expect.get("python", "3.10")),
    )


def programs(only: str = "") -> list[Program]:
    """All programs whose name has ``only`` in it, by name."""
    return [read(path) for path in sorted(FOLDER.glob("*.py")) if only in path.stem]
