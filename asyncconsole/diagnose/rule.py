"""The port of a rule, and the shape that all rules about knots share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from asyncconsole.diagnose.graph import Graph, cancelled_with
from asyncconsole.diagnose.groups import Island, Knot
from asyncconsole.diagnose.phrases import holds, listed, waits, what, who
from asyncconsole.diagnose.threads import Bridge
from asyncconsole.model import Finding, ResourceRef, Snapshot, Stall, Task, TaskRole

ASSUMES = {
    "lock": "locks are released by the tasks that took them, where their `async with` ends, "
    "and nobody cancels these tasks",
    "await": "nobody cancels these tasks",
}


class Rule(Protocol):
    """Recognises one kind.

    ``rank`` orders rules. A knot belongs to the first that claims it, and so does a stall: a
    finding claims the stalls that it names in ``stall_ids``.
    """

    kind: str
    rank: int

    def check(self, case: Case) -> Iterable[Finding]:
        """Findings of this kind, without ids."""


@dataclass(frozen=True, slots=True)
class Case:
    """What rules look at.

    Attributes:
        snapshot: The program.
        graph: Its wait-for graph.
        knots: Tasks in it that wait for each other, as far as no rule has claimed them.
        islands: Tasks in it that nobody is left to wake, likewise.
        stalls: Stalls that go on or have just ended, as far as no rule has claimed them.
        bridges: Threads and loops that wait for each other; each is of one kind only.
        moved: Idents of blocked threads that have moved since an earlier look.
    """

    snapshot: Snapshot
    graph: Graph
    knots: tuple[Knot, ...]
    islands: tuple[Island, ...] = ()
    stalls: tuple[Stall, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    moved: frozenset[int] = frozenset()

    def stalled(self, loop: int | None) -> tuple[int, ...]:
        """Ids of the stalls that go on in a loop and are nobody's yet: for ``stall_ids``."""
        return tuple(stall.id for stall in self.stalls if stall.ongoing and stall.loop == loop)


class KnotRule:
    """A rule about tasks that wait for each other; subclasses say which and why."""

    kind = ""
    rank = 50
    fix = ""

    def claims(self, case: Case, knot: Knot) -> bool:
        """True when this knot is of this kind."""
        raise NotImplementedError

    def summary(self, case: Case, knot: Knot) -> str:
        """One sentence."""
        raise NotImplementedError

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for each knot of this kind."""
        return [self._finding(case, knot) for knot in case.knots if self.claims(case, knot)]

    def tasks(self, case: Case, numbers: Iterable[int]) -> list[Task]:
        """Tasks by id."""
        return [case.graph.tasks[number] for number in numbers]

    def _finding(self, case: Case, knot: Knot) -> Finding:
        members = self.tasks(case, knot.members)
        victims = self.tasks(case, knot.victims)
        roles = [TaskRole(task.id, task.name, "stuck") for task in members]
        roles += [TaskRole(task.id, task.name, "victim") for task in victims]
        items = [case.graph.resources[number] for number in dict.fromkeys(knot.resources)]
        proven = not knot.doubts
        via: set[str] = {edge.via for edge in knot.edges}
        return Finding(
            id="",
            verdict="deadlock" if proven else "suspect",
            proven=proven,
            kind=self.kind,
            summary=self.summary(case, knot),
            tasks=tuple(roles),
            resources=tuple(ResourceRef(item.id, item.type, item.name) for item in items),
            cycle=tuple(case.graph.tasks[number].name for number in knot.cycle),
            cycle_ids=knot.cycle,
            evidence=tuple(self._evidence(case, knot)),
            fix=self.fix,
            now=self._now(case, knot),
            assumes=ASSUMES["lock" if "lock" in via else "await"]
            if proven
            else "not proven: " + "; ".join(knot.doubts),
        )

    def _evidence(self, case: Case, knot: Knot) -> Iterable[str]:
        graph = case.graph
        for edge in knot.edges:
            task, needed = graph.tasks[edge.waiter], graph.tasks[edge.needed]
            text = waits(case.snapshot, task, needed)
            if edge.resource is not None:
                text += f", held by {who(needed)}"
            yield text
            if edge.resource is not None:
                yield holds(needed, graph.resources[edge.resource])

    def _now(self, case: Case, knot: Knot) -> str:
        """The cheapest way out: cancel the task of the cycle that came last."""
        number = max(knot.cycle)
        going = set()
        todo = [number]
        while todo:
            current = todo.pop()
            if current not in going and current in case.graph.tasks:
                going.add(current)
                todo += cancelled_with(case.graph.tasks[current])
        items = [
            case.graph.resources[hold.resource]
            for hold in case.graph.tasks[number].holds
            if hold.resource in case.graph.resources
        ]
        then = [
            who(case.graph.tasks[edge.waiter])
            for edge in knot.edges
            if edge.needed == number and edge.via == "lock" and edge.waiter not in going
        ]
        steps = [f"frees {listed([what(item) for item in items])}"] if items else []
        steps += [f"then {listed(then)} goes on"] if then else []
        going.discard(number)
        if going:
            names = listed([who(case.graph.tasks[n]) for n in sorted(going)])
            steps.append(f"cancels {names} with it")
        return f"cancel {number}   {'; '.join(steps)}".rstrip()
