"""What keeps tasks that seem to wait for each other from being a proof."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from asyncconsole.diagnose.cycles import Edge
from asyncconsole.model import Resource

if TYPE_CHECKING:
    from asyncconsole.diagnose.graph import Graph

CODE = frozenset({"flow", "inside"})
"""Evidence for a holder that is read from code; see `asyncconsole.model.Hold.how`."""


def _mates(graph: Graph, group: set[int]) -> list[str]:
    """Tasks whose failure would cancel some of ``group``."""
    found = []
    for item in graph.groups:
        inside = min((n for n in item.members if n in group), default=None)
        mate = min((n for n in item.may_fail if n not in group), default=None)
        if inside is not None and mate is not None:
            name = graph.tasks[mate].name
            found.append(f"a TaskGroup cancels {graph.tasks[inside].name} if {name} ({mate}) fails")
    return found


def doubts(graph: Graph, group: Iterable[int], cycle: list[Edge]) -> tuple[str, ...]:
    """What keeps a lenient knot from being a proof."""
    found: list[str] = []
    for number in sorted(group):
        task = graph.tasks[number]
        for watchdog in graph.watchdogs(task):
            found.append(f"{watchdog.name} ({watchdog.id}) may cancel {task.name} when it wakes")
        if task.wait is not None and task.wait.needs == "all_or_error":
            free = [n for n in task.wait.tasks if n not in group]
            if free or task.wait.opaque:
                found.append(f"something else that {task.name} waits for may fail and wake it")
    found += _mates(graph, set(group))
    for edge in cycle:
        item = graph.resources.get(edge.resource or "")
        if item is None:
            continue
        if item.unknown is not None:
            found.append(
                f"a callback, a timer or the other end may give a connection back to {item.type} "
                f"{item.name}"
            )
        elif not item.sound:
            found.append(f"{item.type} {item.name} has an acquire or release of its own")
        elif item.permits is None and not graph.all_seen(item):
            found.append(f"{item.type} {item.name} does not tell how many permits it has")
        elif any(holder.how in CODE for holder in item.holders):
            found.append(
                f"that {graph.tasks[edge.needed].name} holds {item.type} {item.name} "
                "is read from its code, which is likely, not certain"
            )
        elif not item.accounted and _all_known(item):
            found.append(f"the code of another task gives {item.type} {item.name} back")
        elif not (item.accounted or graph.all_seen(item)):
            found.append(f"who holds {item.type} {item.name} is likely, not certain")
    return tuple(dict.fromkeys(found))


def _all_known(item: Resource) -> bool:
    """True when every permit is with a task that holds it for certain."""
    return item.permits == len(item.holders) and all(holder.certain for holder in item.holders)
