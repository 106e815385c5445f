"""Two or more tasks, each waiting for a lock that the next one holds."""

from __future__ import annotations

from asyncconsole.diagnose.groups import Knot
from asyncconsole.diagnose.phrases import listed
from asyncconsole.diagnose.rule import Case, KnotRule


class _LockCycle(KnotRule):
    kind = "lock_cycle"
    fix = "take the locks in one global order everywhere, or give the inner wait a timeout"

    def claims(self, case: Case, knot: Knot) -> bool:
        kinds = {case.graph.resources[number].type for number in knot.resources}
        return (
            len(knot.cycle) > 1
            and all(edge.via == "lock" for edge in knot.edges)
            and not any(kind.endswith("Semaphore") for kind in kinds)
        )

    def summary(self, case: Case, knot: Knot) -> str:
        names = [task.name for task in self.tasks(case, knot.cycle)]
        if len(names) == 2:  # noqa: PLR2004 - a pair reads differently
            return f"{names[0]} and {names[1]} wait for each other's lock"
        return f"{listed(names, 6)} wait for each other's locks in a circle"


RULE = _LockCycle()
