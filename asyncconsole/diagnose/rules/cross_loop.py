"""A task and what it waits for belong to different loops."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.asleep import AsleepRule
from asyncconsole.diagnose.phrases import lasting, waits, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.stalled import loop_of
from asyncconsole.model import Finding, Loop, Task, TaskRole

FIX = (
    "use a future, lock or event in one loop only; from another loop, hand over with "
    "`loop.call_soon_threadsafe(future.set_result, value)` or `run_coroutine_threadsafe`"
)


class _CrossLoop(AsleepRule):
    kind = "cross_loop"
    rank = 65
    fix = FIX

    def claims(self, case: Case, loop: Loop) -> bool:
        return crosses(case, loop)

    def who_did(self, case: Case, loop: Loop) -> str:
        numbers = sorted({number for one in loop.stranded for number in one.loops})
        if not numbers:
            numbers = [other.id for other in case.snapshot.loops if other.id != loop.id]
        names = [_named(case, number) for number in numbers[:3]]
        return f"in the thread of another loop ({', '.join(names)})"

    def check(self, case: Case) -> Iterable[Finding]:
        yield from super().check(case)
        for task in case.snapshot.tasks:
            finding = _gone(case, task)
            if finding is not None:
                yield finding


def crosses(case: Case, loop: Loop) -> bool:
    """True when it was hardly anybody else than another loop that left this one asleep."""
    if any(one.loops for one in loop.stranded):
        return True
    others = [other for other in case.snapshot.loops if other.id != loop.id and other.running]
    loops = {other.thread_id for other in case.snapshot.loops}
    plain = [thread for thread in case.snapshot.threads if thread.ident not in loops]
    return bool(others) and not plain


def _named(case: Case, number: int) -> str:
    loop = loop_of(case.snapshot, number)
    thread = f", thread {loop.thread}" if loop is not None and loop.thread else ""
    return f"loop {number}{thread}"


def _gone(case: Case, task: Task) -> Finding | None:
    """A task that waits for tasks of a loop that is closed."""
    wait = task.wait
    if wait is None or not wait.tasks or wait.due is not None or task.deadline is not None:
        return None
    theirs = [case.graph.tasks[number] for number in wait.tasks if number in case.graph.tasks]
    closed = [
        other
        for other in theirs
        if other.loop != task.loop and (loop := loop_of(case.snapshot, other.loop)) and loop.closed
    ]
    if not closed or (wait.needs != "all" and len(closed) < len(wait.tasks)):
        return None
    proven = not wait.opaque or wait.kind == "executor"
    other = closed[0]
    return Finding(
        id="",
        verdict="deadlock" if proven else "suspect",
        proven=proven,
        kind="cross_loop",
        summary=f"{who(task)} waits for {who(other)} of loop {other.loop}, which is closed",
        tasks=(
            TaskRole(task.id, task.name, "stuck"),
            *(TaskRole(one.id, one.name, "cause") for one in closed),
        ),
        evidence=(
            waits(case.snapshot, task, other),
            f"{who(other)} belongs to loop {other.loop}, which is closed and never runs again",
            f"it waits in loop {task.loop}, {lasting(wait.since)}",
        ),
        fix=FIX,
        now=f"cancel {task.id}",
        assumes="nobody cancels these tasks"
        if proven
        else "not proven: something else may end this wait",
    )


RULE = _CrossLoop()
