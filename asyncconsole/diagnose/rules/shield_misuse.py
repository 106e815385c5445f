"""A task that is cancelled again and again shields its work anew each time."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.cancelled import awaiters, ending, requests
from asyncconsole.diagnose.phrases import listed, place, waits
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Task, TaskRole


class _ShieldMisuse:
    kind = "shield_misuse"
    rank = 30  # the work inside may be found to hang as well: that is why it matters

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for each such task."""
        for task in case.snapshot.tasks:
            wait = task.wait
            if wait is None or wait.kind != "shield" or task.catches is None:
                continue
            if requests(case, task) and (task.awaited_by or ending(case, task)):
                yield _finding(case, task)


def _finding(case: Case, task: Task) -> Finding:
    wait, handler = task.wait, task.catches
    assert wait is not None  # that is how it was chosen
    assert handler is not None
    inner = [case.graph.tasks[number] for number in wait.tasks if number in case.graph.tasks]
    behind = awaiters(case, task)
    names = listed([other.name for other in inner]) or wait.name
    numbers = " ".join(str(other.id) for other in inner)
    asked = "was asked to cancel"
    if task.cancelling > 1:
        asked = f"was cancelled {task.cancelling} times"
    return Finding(
        id="",
        verdict="suspect",
        proven=False,
        kind="shield_misuse",
        summary=f"{task.name} {asked} and shields {names}, which goes on, again each time",
        tasks=(
            TaskRole(task.id, task.name, "stuck"),
            *(TaskRole(other.id, other.name, "cause") for other in inner),
            *(TaskRole(other.id, other.name, "victim") for other in behind),
        ),
        evidence=(
            *requests(case, task),
            (
                f"the handler at {place(handler.file, handler.line, handler.function)} catches "
                "CancelledError and goes on with its loop, which shields the same work again"
            ),
            waits(case.snapshot, task, inner[0] if inner else None),
            *(waits(case.snapshot, other, None) for other in inner),
            *(waits(case.snapshot, other, task) for other in behind),
        ),
        fix=(
            "after a cancellation wait for shielded work once, and not without end (`asyncio.wait("
            "{inner}, timeout=...)`), then cancel it and raise the CancelledError"
        ),
        now=f"cancel {numbers or task.id}   ends the work inside",
        assumes="not proven: the work inside may still end by itself",
    )


RULE = _ShieldMisuse()
