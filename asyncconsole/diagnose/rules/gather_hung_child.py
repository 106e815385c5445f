"""Nearly all that somebody gathers is done, and one child hangs."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.groups import Island
from asyncconsole.diagnose.island import PROVEN, View
from asyncconsole.diagnose.phrases import waits, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Task, TaskRole

LONG = 1.5
"""Seconds that a child must have waited for something outside."""

DONE = 3
"""How many times as many must be done as hang."""

_GATHERS = frozenset({"gather", "wait", "task_group", "as_completed"})
_ALL = frozenset({"gather", "wait"})
"""With some done and others not, a wait is for all of them."""

_OUTSIDE = frozenset({"stream", "socket"})


class _GatherHungChild:
    kind = "gather_hung_child"
    rank = 75  # what the child waits for may explain it better

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for each of which a child hangs."""
        islands = {number: island for island in case.islands for number in island.members}
        stuck = case.graph.stuck(lenient=True) | case.graph.stuck()
        for parent in case.snapshot.tasks:
            wait = parent.wait
            if wait is None or wait.kind not in _GATHERS or wait.due is not None:
                continue
            children = [child for n in wait.tasks if (child := case.graph.tasks.get(n)) is not None]
            lost = [child for child in children if child.id in islands]
            if lost and len(lost) == (wait.pending or len(children)):
                yield _finding(parent, lost, case, [islands[child.id] for child in lost])
            elif wait.kind in _ALL and wait.total and wait.pending:
                slow = [child for child in children if child.id not in stuck and _silent(child)]
                done = wait.total - wait.pending
                if len(slow) == wait.pending and done >= DONE * wait.pending:
                    yield _finding(parent, slow, case, None)


def _silent(child: Task) -> bool:
    """True when a child has long waited for something outside, with no timeout."""
    wait = child.wait
    return (
        wait is not None
        and wait.kind in _OUTSIDE
        and wait.due is None
        and child.deadline is None
        and wait.since >= LONG
    )


def _finding(
    parent: Task, children: list[Task], case: Case, islands: list[Island] | None
) -> Finding:
    wait = parent.wait
    assert wait is not None  # whoever gathers waits
    proven = islands is not None and not any(island.doubts for island in islands)
    doubts = [doubt for island in islands or () for doubt in island.doubts]
    if islands is None:
        doubts = ["it waits for something outside of the program, which may still answer"]
    names = " and ".join(child.name for child in children)
    first = children[0]
    thing = first.wait.name if first.wait is not None else ""
    if islands is not None:
        thing = View(case, islands[0]).thing
    count = ""
    if wait.total:
        count = f"{wait.total - (wait.pending or 0)} of {wait.total} are done; "
    return Finding(
        id="",
        verdict="deadlock" if proven else "suspect",
        proven=proven,
        kind="gather_hung_child",
        summary=f"{parent.name}: {count}{names} hangs, waiting for {thing}",
        tasks=(
            *(TaskRole(child.id, child.name, "stuck") for child in children),
            TaskRole(parent.id, parent.name, "victim"),
        ),
        evidence=(
            *(waits(case.snapshot, child, None) for child in children),
            waits(case.snapshot, parent, first),
            f"nothing but {who(first)} keeps {who(parent)} from going on"
            if len(children) == 1
            else f"nothing else keeps {who(parent)} from going on",
        ),
        fix=(
            "give each child a timeout of its own (`async with asyncio.timeout(...)` inside), so "
            "that one that hangs fails and the rest is not lost; a TaskGroup then cancels its "
            "siblings"
        ),
        now=f"cancel {' '.join(str(child.id) for child in children)}   lets {parent.name} go on",
        assumes=PROVEN if proven else "not proven: " + "; ".join(dict.fromkeys(doubts)),
    )


RULE = _GatherHungChild()
