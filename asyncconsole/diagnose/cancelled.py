"""Tasks that were asked to cancel and go on: what the rules about them share."""

from __future__ import annotations

from asyncconsole.diagnose.phrases import place
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Snapshot, Task

_ENDING = "_cancel_all_tasks"
"""Of ``asyncio.runners``: it waits for what is left at the end of ``asyncio.run``."""

_CANCEL = frozenset({"cancel"})


def counts(snapshot: Snapshot) -> bool:
    """True when tasks of this Python count how often they were asked to cancel."""
    major, minor = snapshot.python.split(".")[:2]
    return (int(major), int(minor)) >= (3, 11)


def requests(case: Case, task: Task) -> list[str]:
    """What shows that a task was asked to cancel; empty when nothing does."""
    if task.cancelling:
        times = "once" if task.cancelling == 1 else f"{task.cancelling} times"
        return [f"{task.name} ({task.id}) was asked to cancel {times} and goes on"]
    if counts(case.snapshot):
        return []
    found = []
    partners = case.graph.partners
    for number in task.awaited_by:
        other = case.graph.tasks.get(number)
        if other is None or other.wait is None:
            continue
        for frame in other.frames:
            uses = partners.uses(partners.at(frame.file, frame.line, frame.function), _CANCEL)
            before = [use for use in uses if use.line < frame.line]
            if frame.own and before:
                spot = place(before[-1].file, before[-1].line, before[-1].function)
                found.append(
                    f"{other.name} ({other.id}) awaits {task.name} ({task.id}) after a `cancel()` "
                    f"at {spot}"
                )
                break
    return found


def ending(case: Case, task: Task) -> bool:
    """True when ``asyncio.run`` is at its end and waits for a task."""
    return any(
        thread.loop == task.loop and any(frame.function == _ENDING for frame in thread.frames)
        for thread in case.snapshot.threads
    )


def awaiters(case: Case, task: Task) -> list[Task]:
    """Tasks that wait for a task to end."""
    return [case.graph.tasks[number] for number in task.awaited_by if number in case.graph.tasks]
