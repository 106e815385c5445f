"""Verdicts: what is wrong, how sure that is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["deadlock", "stall", "leak", "suspect"]
Role = Literal["stuck", "cause", "victim", "holder", "culprit"]

DIAGNOSIS_SCHEMA = "asyncconsole/diagnosis/1"


@dataclass(frozen=True, slots=True)
class TaskRole:
    """A task's part in a finding."""

    id: int
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """A primitive named by a finding."""

    id: str
    type: str
    name: str


@dataclass(frozen=True, slots=True)
class ThreadRef:
    """A thread named by a finding.

    Attributes:
        id: ``threading.get_ident()`` of it.
        name: Its name.
        token: Number of what it waits for; 0 where it doesn't.
    """

    id: int
    name: str
    token: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        id: ``F1``; numbers the findings of one diagnosis.
        verdict: ``deadlock``, ``stall``, ``leak`` or ``suspect``.
        proven: True only where the evidence is a proof under ``assumes``.
        kind: One of the kinds of the contract (``lock_cycle``...).
        summary: One sentence that names tasks and resources.
        tasks: Who is involved, and how.
        resources: What is involved.
        cycle: Names of the tasks of a cycle, in order; empty without one.
        cycle_ids: Their ids, same order.
        evidence: Sentences, each a fact that was read.
        fix: What to change in the program.
        now: What to type now to get the program going again; "" for nothing.
        assumes: What the proof rests on, or what the doubt is.
        stall_ids: Ids of the recorded stalls that this explains; see `Stall`.
        threads: The threads that it is about.
    """

    id: str
    verdict: Verdict
    proven: bool
    kind: str
    summary: str
    tasks: tuple[TaskRole, ...] = ()
    resources: tuple[ResourceRef, ...] = ()
    cycle: tuple[str, ...] = ()
    cycle_ids: tuple[int, ...] = ()
    evidence: tuple[str, ...] = ()
    fix: str = ""
    now: str = ""
    assumes: str = ""
    stall_ids: tuple[int, ...] = ()
    threads: tuple[ThreadRef, ...] = ()

    def ids(self, role: Role) -> tuple[int, ...]:
        """Ids of the tasks with that role."""
        return tuple(task.id for task in self.tasks if task.role == role)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings of one look at a program, worst first."""

    pid: int
    taken_at: str
    findings: tuple[Finding, ...] = ()
    schema: str = DIAGNOSIS_SCHEMA
