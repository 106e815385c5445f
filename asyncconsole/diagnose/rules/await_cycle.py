"""Tasks that await each other; no lock is involved."""

from __future__ import annotations

from asyncconsole.diagnose.groups import Knot
from asyncconsole.diagnose.rule import Case, KnotRule


class _AwaitCycle(KnotRule):
    kind = "await_cycle"
    fix = (
        "let one side signal through an Event or a Queue, not by ending; a task can't await "
        "a task that awaits it (Task.cancel() raises RecursionError on such a cycle; the "
        "console's cancel gets through)"
    )

    def claims(self, case: Case, knot: Knot) -> bool:
        return all(edge.via == "await" for edge in knot.edges)

    def summary(self, case: Case, knot: Knot) -> str:
        names = [task.name for task in self.tasks(case, knot.cycle)]
        if len(names) == 1:
            return f"{names[0]} awaits itself"
        return f"{' awaits '.join(names[:6])} awaits {names[0]}"


RULE = _AwaitCycle()
