"""A task holds a lock and awaits a task that waits for that lock."""

from __future__ import annotations

from asyncconsole.diagnose.groups import Knot
from asyncconsole.diagnose.phrases import listed, what
from asyncconsole.diagnose.rule import Case, KnotRule


class _LockTaskCycle(KnotRule):
    kind = "lock_task_cycle"
    fix = (
        "don't await another task (or gather, TaskGroup, wait_for, shield) while you hold a "
        "lock "
        "that it needs: release the lock first, or hand the task what it needs"
    )

    def claims(self, case: Case, knot: Knot) -> bool:
        vias = {edge.via for edge in knot.edges}
        return vias == {"lock", "await"} and not any(
            case.graph.resources[number].type.endswith("Semaphore") for number in knot.resources
        )

    def summary(self, case: Case, knot: Knot) -> str:
        graph = case.graph
        lock = next(edge for edge in knot.edges if edge.via == "lock")
        awaits = next(edge for edge in knot.edges if edge.via == "await")
        holder, waiter = graph.tasks[lock.needed], graph.tasks[lock.waiter]
        item = what(graph.resources[lock.resource or ""])
        through = graph.tasks[awaits.waiter].wait
        word = f" ({through.kind})" if through is not None and through.kind != "task" else ""
        if len(knot.cycle) == 2:  # noqa: PLR2004 - a pair reads differently
            return (
                f"{holder.name} holds {item} and awaits{word} {waiter.name}, "
                f"which waits for that lock"
            )
        names = [task.name for task in self.tasks(case, knot.cycle)]
        return f"{listed(names, 6)} wait for each other through locks and awaits, among them {item}"


RULE = _LockTaskCycle()
