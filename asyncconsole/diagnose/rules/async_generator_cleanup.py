"""A lock is held by a suspended async generator that no task iterates any more."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.phrases import listed, place, waits, what
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Resource, ResourceRef, Task, TaskRole
from asyncconsole.model.leftovers import OpenGenerator

LONG = 1.0
"""Seconds that somebody must have waited where a task may still go on with the generator."""

_MOST = 10


class _AsyncGeneratorCleanup:
    kind = "async_generator_cleanup"
    rank = 35  # before the kinds that don't know who has the lock, or only some of them

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for each primitive that such generators hold."""
        autopsy = case.snapshot.autopsy
        holds: dict[str, list[OpenGenerator]] = {}
        for generator in autopsy.generators if autopsy is not None else ():
            for number in dict.fromkeys(number for number, _ in generator.holds):
                holds.setdefault(number, []).append(generator)
        for number, generators in holds.items():
            item = case.graph.resources.get(number)
            numbers = [w.task for w in item.waiters if w.task is not None] if item else []
            if item is None or not item.locked:
                continue
            if not {holder.task for holder in item.holders}.issubset(numbers):
                continue  # somebody has it who may go on
            members = [case.graph.tasks[n] for n in numbers if n in case.graph.tasks]
            strict = case.graph.stuck().issuperset(task.id for task in members)
            longest = max((task.wait.since for task in members if task.wait), default=0.0)
            if members and (strict or longest >= LONG):
                yield _finding(case, item, generators, members, strict=strict)


def _finding(
    case: Case,
    item: Resource,
    generators: list[OpenGenerator],
    members: list[Task],
    *,
    strict: bool,
) -> Finding:
    verb = "waits" if len(members) == 1 else "wait"
    names = listed(list(dict.fromkeys(f"`{one.function}`" for one in generators)))
    holders = f"the async generator {names}, which was left open"
    if len(generators) > 1:
        holders = f"{len(generators)} async generators {names}, which were left open"
    numbers = " ".join(str(task.id) for task in members[:_MOST])
    circle = next((knot.cycle for knot in case.knots if item.id in knot.resources), ())
    return Finding(
        id="",
        verdict="deadlock" if strict else "suspect",
        proven=strict,
        kind="async_generator_cleanup",
        summary=(
            f"{listed([task.name for task in members])} {verb} for {what(item)}, held by {holders}"
        ),
        tasks=tuple(TaskRole(task.id, task.name, "stuck") for task in members),
        resources=(ResourceRef(item.id, item.type, item.name),),
        cycle=tuple(case.graph.tasks[number].name for number in circle),
        cycle_ids=circle,
        evidence=(
            *(waits(case.snapshot, task, None) for task in members[:_MOST]),
            *(_story(item, one) for one in generators[:_MOST]),
        ),
        fix=(
            "close an async generator that you don't use up: `async with contextlib.aclosing("
            "rows()) as rows:`; better, don't yield while a lock is held"
        ),
        now=f"cancel {numbers}   ends the wait with CancelledError",
        assumes=_SURE if strict else _DOUBT,
    )


_SURE = (
    "nobody cancels these tasks, and whoever could go on with the generator is visible as a "
    "reference to it"
)
_DOUBT = "not proven: whoever refers to the generator may still go on with it, or close it"


def _story(item: Resource, one: OpenGenerator) -> str:
    """Where a generator stands."""
    taken = next((line for number, line in one.holds if number == item.id), one.line)
    kept = f", kept in {one.kept}" if one.kept else ""
    return (
        f"async generator `{one.function}` stands at its yield at "
        f"{place(one.file, one.line, one.function)}, inside the `async with` of line {taken}"
        f"{kept}; no task iterates it"
    )


RULE = _AsyncGeneratorCleanup()
