"""Every connection of a pool is held by tasks that wait for one more."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.groups import Knot
from asyncconsole.diagnose.island import IslandRule, View
from asyncconsole.diagnose.phrases import listed, what
from asyncconsole.diagnose.rule import Case, KnotRule
from asyncconsole.model import Finding, Resource, Task

_FIX = (
    "don't take a second connection of a pool while you have one, directly or through a "
    "task that is awaited: hand the first one on, give it back before, or set a timeout "
    "for taking one"
)


class _Known(KnotRule):
    """Pools of libraries, whose connections are followed."""

    kind = "pool_exhaustion"
    fix = _FIX

    def claims(self, case: Case, knot: Knot) -> bool:
        return _pool(case, knot) is not None

    def summary(self, case: Case, knot: Knot) -> str:
        item = _pool(case, knot)
        assert item is not None
        numbers = dict.fromkeys(holder.task for holder in item.holders)
        holders = self.tasks(case, (number for number in numbers if number in case.graph.tasks))
        count = (
            f"all {len(item.holders)} connections" if len(item.holders) > 1 else "the connection"
        )
        verb = "are" if len(item.holders) > 1 else "is"
        wait = "wait" if len(holders) > 1 else "waits"
        themselves = all(task.wait and task.wait.resource == item.id for task in holders)
        for_what = "for one more" if themselves else "for others that want one"
        return (
            f"{count} of {what(item)} {verb} held by {listed([task.name for task in holders])}, "
            f"which {wait} {for_what}"
        )


def _pool(case: Case, knot: Knot) -> Resource | None:
    """The first pool of the circle."""
    items = (case.graph.resources[number] for number in knot.resources)
    return next((item for item in items if item.unknown is not None), None)


class _Drained(IslandRule):
    """Home-made pools: a queue whose getters are to put back what they have."""

    kind = "pool_exhaustion"
    waits = frozenset({"queue_get"})
    ends = "put into it"
    fix = _FIX

    def claims(self, view: View) -> bool:
        return bool(self.stuck(view))

    def stuck(self, view: View) -> list[Task]:
        return [task for task in view.members if _has_one(view, task)]

    def summary(self, view: View) -> str:
        names = listed([task.name for task in self.stuck(view)])
        return (
            f"all that was in {view.thing} is with {names}, which wait for one more before they "
            "give it back"
        )


def _has_one(view: View, task: Task) -> bool:
    """True when a task is between taking something from the queue and putting it back."""
    partners = view.case.graph.partners
    for frame in task.frames[:-1]:
        for routine in partners.at(frame.file, frame.line, frame.function):
            took = any(
                owner in view.words and method in {"get", "get_nowait"} and line < frame.line
                for owner, method, line in routine.uses
            )
            if took and any(
                owner in view.words and method in view.ends and line > frame.line
                for owner, method, line in routine.uses
            ):
                return True
    return any(
        use.owner in view.words
        for place in view.case.graph.sources.keeps.get(task.id, ())
        for use in partners.uses(partners.at(*place), view.ends)
        if use.line > place[1]
    )


class _PoolExhaustion:
    kind = "pool_exhaustion"
    rank = 40  # whatever else is in the circle, the pool explains it best

    def check(self, case: Case) -> Iterable[Finding]:
        """Findings about pools of either sort."""
        return [*_Known().check(case), *_Drained().check(case)]


RULE = _PoolExhaustion()
