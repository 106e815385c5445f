"""A task holds a lock and waits for something that only those behind this lock could give."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.island import IslandRule, View
from asyncconsole.diagnose.phrases import holds, listed, what
from asyncconsole.model import Resource, Task


class _LockFutureCycle(IslandRule):
    kind = "lock_future_cycle"
    rank = 45
    waits = frozenset(
        {"future", "event", "condition", "queue_get", "queue_put", "queue_join", "barrier"}
        | {"gather", "wait", "shield", "stream_receive", "stream_send"}
    )
    ends = "give it"
    fix = (
        "don't wait for an answer while you hold a lock that whoever gives it needs: release "
        "the "
        "lock before you wait, or answer without taking it"
    )

    def claims(self, view: View) -> bool:
        return _pairs(view) != []

    def stuck(self, view: View) -> list[Task]:
        found = {task.id: task for task in view.members}
        found.update((task.id, task) for _, _, others in _pairs(view) for task in others)
        return list(found.values())

    def summary(self, view: View) -> str:
        holder, item, others = _pairs(view)[0]
        names = listed([task.name for task in others])
        verb = "waits" if len(others) == 1 else "wait"
        return (
            f"{holder.name} holds {what(item)} and waits for {view.thing}, which only {names} "
            f"could end, and {names} {verb} for that lock"
        )

    def evidence(self, view: View) -> Iterable[str]:
        yield from super().evidence(view)
        for holder, item, _ in _pairs(view):
            yield holds(holder, item)


def _pairs(view: View) -> list[tuple[Task, Resource, list[Task]]]:
    """Holders, what they hold, and those behind it who could wake them."""
    graph = view.case.graph
    found = []
    for holder in view.members:
        for hold in holder.holds:
            item = graph.resources.get(hold.resource)
            behind = [
                number
                for number in view.island.victims
                if (wait := graph.tasks[number].wait) is not None
                and wait.resource == hold.resource
                and wait.kind in {"lock", "semaphore"}
            ]
            near = set(graph.sources.wakers(holder.id, behind))
            could = {n for n in behind if view.could(graph.tasks[n], named=n not in near)} or near
            if item is not None and could:
                found.append((holder, item, [graph.tasks[number] for number in sorted(could)]))
    return found


RULE = _LockFutureCycle()
