"""Every permit of a semaphore is held by tasks that wait for one more."""

from __future__ import annotations

from asyncconsole.diagnose.groups import Knot
from asyncconsole.diagnose.phrases import listed, what
from asyncconsole.diagnose.rule import Case, KnotRule


class _SemaphoreNested(KnotRule):
    kind = "semaphore_nested"
    fix = (
        "don't acquire a semaphore while holding a permit of it, directly or through a task "
        "that is awaited: release first, or give the inner work a semaphore of its own"
    )

    def claims(self, case: Case, knot: Knot) -> bool:
        return any(
            case.graph.resources[number].type.endswith("Semaphore") for number in knot.resources
        )

    def summary(self, case: Case, knot: Knot) -> str:
        item = next(
            found
            for number in knot.resources
            if (found := case.graph.resources[number]).type.endswith("Semaphore")
        )
        holders = listed([holder.name for holder in item.holders])
        known = "all permits" if item.accounted else "the known permits"
        return f"{known} of {what(item)} are held by {holders}, which wait for a permit themselves"


RULE = _SemaphoreNested()
