"""What tasks hold: who gets it when they let go, and who did."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from asyncconsole.model import Line, Resource, Snapshot, Task, line

MOST_HEIRS = 5
"""Waiters of one primitive whose fate is told."""


def witnesses(snapshot: Snapshot, chosen: Collection[int]) -> list[int]:
    """The first tasks in each queue, but for ``chosen``: those that may get something."""
    return sorted({number for item in snapshot.resources for number in _queue(item)} - {*chosen})


def _queue(item: Resource) -> list[int]:
    """The first tasks that wait for a primitive which somebody holds."""
    if not item.holders:
        return []
    return [waiter.task for waiter in item.waiters[:MOST_HEIRS] if waiter.task is not None]


def held(snapshot: Snapshot, chosen: Collection[int]) -> list[str]:
    """Ids of what these tasks hold."""
    return sorted(
        {
            hold.resource
            for number in chosen
            if (task := snapshot.task(number))
            for hold in task.holds
        }
    )


def promise(snapshot: Snapshot, number: int, going: Collection[int]) -> str:
    """``A (L1), then audit (2) gets it; B (L2)``: what a task's end frees, or ""."""
    task = snapshot.task(number)
    parts = []
    for hold in task.holds if task is not None else ():
        item = snapshot.resource(hold.resource)
        if item is not None:
            doubt = "" if hold.certain else "probably "
            parts.append(f"{doubt}{item.name} ({item.id}){heir(item, going)}")
    return "; ".join(parts)


def heir(item: Resource, going: Collection[int]) -> str:
    """``, then audit (2) gets it``; "" when nobody waits but those in ``going``."""
    first = next((waiter for waiter in item.waiters if waiter.task not in going), None)
    if first is None:
        return ""
    who = f"{first.name} ({first.task})" if first.task is not None else "a waiter of no known task"
    return f", then {who} gets it"


def told(
    before: Snapshot,
    after: Snapshot,
    chosen: Collection[int],
    fates: Mapping[int, str],
    documents: list[dict[str, object]],
) -> list[Line]:
    """What happened to each primitive that these tasks held.

    Args:
        before: The program before.
        after: The program now, with those primitives.
        chosen: Ids of the tasks.
        fates: What became of the witnesses.
        documents: Gets the same for ``--json``.
    """
    lines = []
    for number in chosen:
        task = before.task(number)
        for hold in task.holds if task is not None else ():
            item = before.resource(hold.resource)
            if item is None:
                continue
            now = after.resource(item.id)
            if now is not None and any(holder.task == number for holder in now.holders):
                continue  # still held: the task goes on
            lines.append(passed_on(item, after, chosen, fates, documents))
    return lines


def passed_on(
    item: Resource,
    after: Snapshot,
    chosen: Collection[int],
    fates: Mapping[int, str],
    documents: list[dict[str, object]],
) -> Line:
    """Who got a primitive that was let go of."""
    live = {task.id: task for task in after.tasks}
    now = after.resource(item.id)
    heirs = _heirs(item, live, chosen, fates)
    holders = [f"{h.name} ({h.task}) has it" for h in now.holders] if now is not None else []
    story = " → ".join([*heirs, *[text for text in holders if text not in heirs]])
    documents.append({"resource": item.id, "name": item.name, "then": story})
    tail = f" → {story}" if story else ""
    return line(("Freed ", "good"), f"{item.name} ({item.id}){tail}.")


def _heirs(
    item: Resource, live: dict[int, Task], chosen: Collection[int], fates: Mapping[int, str]
) -> list[str]:
    """What became of the tasks that queued for a primitive."""
    found = []
    for waiter in item.waiters[:MOST_HEIRS]:
        if waiter.task is None or waiter.task in chosen:
            continue
        who = f"{waiter.name} ({waiter.task})"
        task = live.get(waiter.task)
        if fates.get(waiter.task) == "cancelled":
            found.append(f"{who} was cancelled with it")
        elif task is None:
            found.append(f"{who} had it and finished")
        elif any(hold.resource == item.id for hold in task.holds):
            found.append(f"{who} has it")
        elif task.wait is None or task.wait.resource != item.id:
            found.append(f"{who} goes on")
    return found
