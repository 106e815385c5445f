"""Two captures become one verdict."""

from __future__ import annotations

import dataclasses

from asyncconsole.diagnose.fold import fold
from asyncconsole.diagnose.graph import Graph
from asyncconsole.diagnose.restless import restless, stood
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.rules import all_rules
from asyncconsole.diagnose.stalled import recent
from asyncconsole.diagnose.threads import bridges
from asyncconsole.model import Diagnosis, Finding, Snapshot, Task

_WORST = {"deadlock": 0, "stall": 1, "leak": 2, "suspect": 3}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A capture with what can be said of it alone, so that it is found out once.

    Attributes:
        snapshot: The capture.
        graph: Who needs whom in it.
        findings: Not confirmed; worst first, without ids.
    """

    snapshot: Snapshot
    graph: Graph
    findings: tuple[Finding, ...]


def look(
    snapshot: Snapshot, moving: frozenset[int] = frozenset(), moved: frozenset[int] = frozenset()
) -> Look:
    """Look at a single capture.

    Args:
        snapshot: The program.
        moving: Ids of tasks that have moved since an earlier capture.
        moved: Idents of blocked threads that have.
    """
    graph = Graph(snapshot, moving)
    return Look(snapshot, graph, _examine(graph, moving, moved))


def _looked(seen: Snapshot | Look) -> Look:
    return seen if isinstance(seen, Look) else look(seen)


def _examine(graph: Graph, moving: frozenset[int], moved: frozenset[int]) -> tuple[Finding, ...]:
    snapshot = graph.snapshot
    strict = graph.knots()
    known = {member for knot in strict for member in knot.members}
    suspects = [
        knot
        for knot in graph.knots(lenient=True)
        if not known.intersection(knot.members) and knot.doubts
    ]
    knots = (*strict, *suspects)
    taken = {number for knot in knots for number in (*knot.members, *knot.victims)}
    islands = graph.islands(taken)
    if graph.sources.known:
        taken.update(n for island in islands for n in (*island.members, *island.victims))
        islands += graph.islands(taken, lenient=True)
    between = bridges(snapshot, moving, moved)
    return _apply(Case(snapshot, graph, knots, tuple(islands), recent(snapshot), between, moved))


def _apply(case: Case) -> tuple[Finding, ...]:
    """Let every rule look; each knot and stall belongs to the first rule that claims it."""
    findings: list[Finding] = []
    for rule in all_rules():
        for finding in rule.check(case):
            findings.append(finding)
            case = dataclasses.replace(
                case,
                knots=tuple(knot for knot in case.knots if knot.cycle != finding.cycle_ids),
                islands=tuple(
                    island
                    for island in case.islands
                    if not set(island.members).issubset(role.id for role in finding.tasks)
                ),
                bridges=tuple(
                    bridge
                    for bridge in case.bridges
                    if not {ref.id for ref in finding.threads}.issuperset(bridge.threads)
                ),
                stalls=tuple(stall for stall in case.stalls if stall.id not in finding.stall_ids),
            )
    return tuple(sorted(findings, key=lambda finding: (_WORST[finding.verdict], finding.cycle_ids)))


_OPEN = frozenset(
    {"condition", "event", "queue_get", "queue_put", "queue_join", "barrier", "future"}
    | {"lock", "semaphore", "stream_receive", "stream_send"}
)
"""Waits of which only what refers to their futures tells whether they can end."""


def obscure(first: Snapshot) -> int:
    """How many tasks wait for something that only a frozen copy tells more about."""
    return len(open_waits(first)) + sum(task.catches is not None for task in first.tasks)


def open_waits(first: Snapshot) -> frozenset[tuple[int, int]]:
    """The waits of which only a frozen copy tells more: ids of tasks, tokens of futures."""
    known = {item.id for item in first.resources if item.accounted}
    return frozenset(
        (task.id, task.wait.token)
        for task in first.tasks
        if task.wait is not None
        and (task.wait.kind in _OPEN or _jammed(task))
        and task.wait.due is None
        and task.wait.resource not in known
    )


def _jammed(task: Task) -> bool:
    """True when a task sends, or waits for a child, while its own end is not read."""
    jam = task.wait.jam if task.wait is not None else None
    return jam is not None and (bool(jam.paused) or jam.does == "send")


_OBSERVED = frozenset(
    {
        "blocking_call",
        "cpu_bound",
        "gil_holding_c_call",
        "del_teardown",
        "busy_callbacks",
        "loop_starved",
        "lock_order_inversion",
    }
)
"""Kinds that rest on what was seen over time, and not on what tasks wait for now."""


def observed(finding: Finding) -> bool:
    """True when a second look at tasks can say nothing about a finding."""
    return finding.kind in _OBSERVED and not finding.ids("stuck") and not finding.threads


_MOVES = frozenset({"cancel_swallowed", "shield_misuse"})
"""Kinds whose tasks need not stand still: it is enough that they were so on both looks."""


_OWN_PROOF = frozenset({"cross_loop"})
"""Kinds whose proof is not made from the graph."""


def again(first: Snapshot | Look) -> frozenset[int] | None:
    """Which tasks a second look has to read.

    Args:
        first: The first one.

    Returns:
        Ids of the tasks that look stuck and of those that the evidence names; empty
        when nothing looks wrong; None when all tasks have to be read, because a finding
        is about more than tasks that wait for each other.
    """
    first = _looked(first)
    findings, graph = first.findings, first.graph
    if any(not finding.cycle_ids and not observed(finding) for finding in findings):
        return None
    stuck = graph.stuck(lenient=True) | graph.stuck()
    found = set(stuck)
    found.update(role.id for finding in findings if observed(finding) for role in finding.tasks)
    for number in stuck:
        task = graph.tasks[number]
        found.update(task.awaited_by, task.watchers, task.children)
        if task.wait is not None:
            found.update(task.wait.tasks)
            item = graph.resources.get(task.wait.resource or "")
            if item is not None:
                found.update(holder.task for holder in item.holders)
    return frozenset(found)


def confirm(
    first: Snapshot | Look, second: Snapshot | None = None, *, partial: bool = False
) -> Diagnosis:
    """The verdict on a program from two captures of it, the second taken later.

    A finding stands when in both captures the same tasks are suspended on the very
    same futures: then nobody in it moved in between, so what was read of their
    frames at different moments was true at one and the same moment.

    Args:
        first: The earlier capture.
        second: The later one. None (a dump file) means that nothing can be
            confirmed: what looks like a deadlock is then called a suspect.
        partial: The later one has only the tasks that `again` named.
    """
    seen = _looked(first)
    first = seen.snapshot
    if second is None:
        findings = [_demote(finding) for finding in seen.findings if not _momentary(finding)]
        return _numbered(first, findings)
    tokens = {task.id: task.wait.token for task in first.tasks if task.wait is not None}
    moving = frozenset(
        task.id
        for task in second.tasks
        if task.wait is None or not task.wait.token or tokens.get(task.id) != task.wait.token
    )
    moved = restless(first, second)
    earlier = Graph(first, moving) if moving else seen.graph
    before = {(finding.kind, finding.ids("stuck")) for finding in seen.findings}
    stuck = {True: earlier.stuck(), False: earlier.stuck(lenient=True)}
    found = [
        dataclasses.replace(
            finding,
            tasks=tuple(
                role
                for role in finding.tasks
                if role.role != "victim"
                or finding.threads
                or observed(finding)
                or _still(finding, role.id, stuck, moving)
            ),
        )
        for finding in look(second, moving, moved).findings
        if (
            stood(finding, first, second, moving, moved)
            if finding.threads
            else _stood(finding, stuck[finding.proven], moving)
            or (finding.kind in _MOVES and (finding.kind, finding.ids("stuck")) in before)
        )
        and (finding.cycle_ids or observed(finding) or not partial)
    ]
    return _numbered(second, found)


def _stood(finding: Finding, stuck: set[int], moving: frozenset[int]) -> bool:
    """True when what a finding rests on was so on the earlier look, and nobody moved since."""
    members = finding.ids("stuck")
    if (finding.proven or finding.cycle_ids) and finding.kind not in _OWN_PROOF:
        return stuck.issuperset(members)
    return moving.isdisjoint(members)


def _still(
    finding: Finding, victim: int, stuck: dict[bool, set[int]], moving: frozenset[int]
) -> bool:
    """True when a victim was one on the earlier look as well."""
    if finding.proven or finding.cycle_ids:
        return victim in stuck[finding.proven]
    return victim not in moving


def _momentary(finding: Finding) -> bool:
    """True when only a second look tells it from what passes by itself in a moment."""
    return bool(finding.threads) and not any(ref.token for ref in finding.threads)


def _demote(finding: Finding) -> Finding:
    if finding.verdict != "deadlock":
        return finding
    return dataclasses.replace(
        finding,
        verdict="suspect",
        proven=False,
        assumes="not proven: seen in one capture only; a second one would confirm it",
    )


def _numbered(snapshot: Snapshot, findings: list[Finding]) -> Diagnosis:
    """The findings that are left once each is told under its cause, with ids."""
    return Diagnosis(
        snapshot.pid,
        snapshot.taken_at,
        tuple(
            dataclasses.replace(finding, id=f"F{index}")
            for index, finding in enumerate(fold(findings, snapshot), 1)
        ),
    )
