"""A task that waits for a lock it holds itself."""

from __future__ import annotations

from asyncconsole.diagnose.groups import Knot
from asyncconsole.diagnose.phrases import hold_of, place, what
from asyncconsole.diagnose.rule import Case, KnotRule


class _SelfDeadlock(KnotRule):
    kind = "self_deadlock"
    fix = (
        "asyncio's locks are not re-entrant: take the lock once, at the outermost level, "
        "and call a version of the inner function that expects it to be held"
    )

    def claims(self, case: Case, knot: Knot) -> bool:
        return len(knot.cycle) == 1 and knot.edges[0].via == "lock" and not _semaphore(case, knot)

    def summary(self, case: Case, knot: Knot) -> str:
        task = case.graph.tasks[knot.cycle[0]]
        item = case.graph.resources[knot.resources[0]]
        hold = hold_of(task, item.id)
        at = f" at {place(hold.file, hold.line, hold.function)}" if hold is not None else ""
        took = "took" if hold is None or hold.certain else "probably took"
        return f"{task.name} waits for {what(item)}, which it {took} itself{at}"


def _semaphore(case: Case, knot: Knot) -> bool:
    return case.graph.resources[knot.resources[0]].type.endswith("Semaphore")


RULE = _SelfDeadlock()
