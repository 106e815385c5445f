"""Findings that a worse one explains are said once, under their cause."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from asyncconsole.model import Finding, Snapshot, TaskRole


def fold(findings: Sequence[Finding], snapshot: Snapshot) -> tuple[Finding, ...]:
    """Leave out what others explain.

    - What is said to be stuck for itself, and waits behind the cause of a finding at least as
      bad, is a victim of that one. Two cycles stay two findings: each has to be broken.
    - A suspect about tasks that are part of a deadlock.
    - A suspect that rests on tasks not moving, of a loop that is blocked: no task of it can.

    Args:
        findings: Worst first.
        snapshot: What they are about.
    """
    blocked = {stall.loop for stall in snapshot.stalls if stall.ongoing}
    loops = {task.id: task.loop for task in snapshot.tasks} if blocked else {}
    kept: list[Finding] = []
    for finding in findings:
        stuck = set(finding.ids("stuck"))
        if not stuck or finding.cycle_ids:
            kept.append(finding)
            continue
        if finding.verdict == "suspect" and {loops.get(number) for number in stuck} <= blocked:
            continue
        above = next((i for i, other in enumerate(kept) if _explains(other, finding, stuck)), None)
        if above is None:
            kept.append(finding)
        else:
            kept[above] = _with_victims(kept[above], finding)
    return tuple(kept)


def _explains(worse: Finding, finding: Finding, stuck: set[int]) -> bool:
    """True when everyone that is stuck in a finding has a part in a worse one."""
    if worse.verdict not in {"deadlock", "suspect"}:
        return False
    behind = set(worse.ids("victim"))
    if worse.verdict == "deadlock" and finding.verdict == "suspect":
        behind.update(worse.ids("stuck"))
    elif worse.kind == finding.kind and stuck == set(worse.ids("stuck")):
        return True
    return stuck <= behind


def _with_victims(worse: Finding, finding: Finding) -> Finding:
    """Whoever waits behind what was left out waits behind its cause as well."""
    known = {task.id for task in worse.tasks}
    more = tuple(
        TaskRole(task.id, task.name, "victim")
        for task in finding.tasks
        if task.role in {"stuck", "victim"} and task.id not in known
    )
    return dataclasses.replace(worse, tasks=worse.tasks + more)
