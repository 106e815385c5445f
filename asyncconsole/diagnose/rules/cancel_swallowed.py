"""A task was asked to cancel, took that for one more error and goes on; somebody awaits it."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.cancelled import awaiters, ending, requests
from asyncconsole.diagnose.phrases import listed, place, spot, waits, where, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Task, TaskRole


class _CancelSwallowed:
    kind = "cancel_swallowed"
    rank = 31  # before the kinds that say what the task waits for since

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for all that the same tasks wait for."""
        groups: dict[tuple[int, ...], list[Task]] = {}
        for task in case.snapshot.tasks:
            shielded = task.wait is not None and task.wait.kind == "shield"
            if task.catches is None or shielded or not requests(case, task):
                continue
            if task.awaited_by or ending(case, task):
                groups.setdefault(task.awaited_by, []).append(task)
        return [_finding(case, tasks) for tasks in groups.values()]


def _finding(case: Case, tasks: list[Task]) -> Finding:
    behind = awaiters(case, tasks[0])
    names = listed([task.name for task in tasks])
    evidence = []
    for task in tasks:
        handler = task.catches
        assert handler is not None  # that is how they were chosen
        evidence += requests(case, task)
        evidence.append(
            f"the handler at {place(handler.file, handler.line, handler.function)} catches "
            f"CancelledError and goes on with its loop; {who(task)} is at {where(task)} again"
        )
    evidence += [waits(case.snapshot, other, tasks[0]) for other in behind]
    waiting = listed([other.name for other in behind]) or "the end of asyncio.run"
    was = "was" if len(tasks) == 1 else "were"
    verb = "waits" if len(behind) < 2 else "wait"  # noqa: PLR2004 - one or asyncio.run itself
    return Finding(
        id="",
        verdict="suspect",
        proven=False,
        kind="cancel_swallowed",
        summary=(
            f"{names} {was} asked to cancel and kept running: {spot(tasks[0].catches)} swallowed "
            f"the CancelledError; {waiting} {verb} for the end"
        ),
        tasks=(
            *(TaskRole(task.id, task.name, "stuck") for task in tasks),
            *(TaskRole(other.id, other.name, "victim") for other in behind),
        ),
        evidence=tuple(dict.fromkeys(evidence)),
        fix=(
            "let CancelledError pass: catch `Exception` instead of everything, or "
            "`except asyncio.CancelledError: raise` before it"
        ),
        now=f"cancel {' '.join(str(task.id) for task in tasks)}   asks once more",
        assumes=(
            "not proven: which handler caught it is read from the source, and it may still end "
            "by itself"
        ),
    )


RULE = _CancelSwallowed()
