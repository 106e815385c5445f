"""Turns of a loop that take long although no step in them does: too many tasks share them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asyncconsole.diagnose.phrases import lasting, listed, spot
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.stalled import FEW, RECENT, loop_words, over_since, starving
from asyncconsole.model import Finding, Stall, TaskRole

NEAR = 2.0
"""Seconds within which two turns of a loop belong together."""


class _LoopStarved:
    kind = "loop_starved"
    rank = 80  # before those that would blame the task that was seen first

    def check(self, case: Case) -> Iterable[Finding]:
        for loop in dict.fromkeys(stall.loop for stall in case.stalls):
            stalls = [stall for stall in case.stalls if stall.loop == loop]
            sure = [stall for stall in stalls if _shared(stall)]
            if sure:
                # One that has just begun was not looked at often enough to tell for itself.
                new = [s for s in stalls if s not in sure and _belongs(case, s, sure[-1])]
                yield self._finding(case, [*sure, *new])

    def _finding(self, case: Case, group: Sequence[Stall]) -> Finding:
        seen: dict[int, str] = {}
        for stall in group:
            seen.update({number: name for number, name, _ in stall.shared})
        last = group[-1]
        others = [task for task in starving(case, last) if task.id not in seen]
        roles = [TaskRole(number, name, "culprit") for number, name in seen.items()][:FEW]
        if last.ongoing and len(others) <= FEW:
            roles += [TaskRole(task.id, task.name, "victim") for task in others]
        return Finding(
            id="",
            verdict="stall",
            proven=False,
            kind=self.kind,
            summary=_summary(case, group, seen),
            tasks=tuple(roles),
            evidence=tuple(_evidence(group)),
            fix="give each task less to do between two awaits, run fewer of them at once (a "
            "semaphore around the work), or move the work to other processes or threads",
            now="ps --state ready   lists who wants the loop",
            assumes="observed: its thread was looked at from another one meanwhile",
            stall_ids=tuple(stall.id for stall in group),
        )


def _shared(stall: Stall) -> bool:
    """True when several tasks ran in one stall, and none of them for most of it."""
    most = max((count for _, _, count in stall.shared), default=0)
    return len(stall.shared) > 1 and most * 2 <= sum(count for _, _, count in stall.shared)


def _belongs(case: Case, stall: Stall, sure: Stall) -> bool:
    """True for a stall that was hardly looked at, right before or after one that tells."""
    gap = over_since(case.snapshot, sure) - over_since(case.snapshot, stall) - stall.duration
    return stall.samples <= len(stall.shared) + 1 <= 2 and abs(gap) < NEAR  # noqa: PLR2004 - one task, one look or two


def _summary(case: Case, group: Sequence[Stall], seen: dict[int, str]) -> str:
    name = loop_words(case.snapshot, group[-1].loop)
    longest = lasting(max(stall.duration for stall in group), exact=True)
    at = next((f", at {spot(s.frame)}" for s in reversed(group) if s.frame is not None), "")
    who = listed([f"{text} ({number})" for number, text in seen.items()])
    return (
        f"One turn of {name} takes up to {longest}, and no single step is long: {who} share it{at}"
    )


def _evidence(group: Sequence[Stall]) -> Iterable[str]:
    """How long turns take, and in how many looks each task was at work."""
    last = group[-1]
    span = lasting(last.duration, exact=True)
    verb = "has lasted" if last.ongoing else "lasted"
    yield f"the last such turn {verb} for {span}, since {last.started_at}"
    counts: dict[str, int] = {}
    for stall in group:
        for number, name, count in stall.shared:
            key = f"{name} ({number})"
            counts[key] = counts.get(key, 0) + count
    most = sorted(counts.items(), key=lambda item: -item[1])
    words = [f"{name} in {count}" for name, count in most]
    yield f"of {sum(counts.values())} looks: {listed(words, 5)}"
    if last.late is not None:
        yield f"callbacks that could run meanwhile: {last.late}"
    if len(group) > 1:
        yield f"{len(group)} such turns in the last {RECENT:.0f} s"


RULE = _LoopStarved()
