"""What leads on from a task or a thread: the tasks and threads it waits for or works for."""

from __future__ import annotations

from asyncconsole.commands import phrases
from asyncconsole.model import Frame, Line, Snapshot, Task, Thread, line

MOST = 20
"""Tasks of a chain, and names in a line, that are shown."""

THROUGH = frozenset({"task", "shield", "wait_for", "executor"})
"""Waits for one task, which continue a stack."""


def through(snapshot: Snapshot, task: Task) -> list[Task]:
    """The tasks that ``task`` waits for one through the other, while each waits for one.

    Stops before a task that was there already, so cycles end too.
    """
    known = {item.id: item for item in snapshot.tasks}
    found: list[Task] = []
    seen = {task.id}
    while task.wait is not None and task.wait.kind in THROUGH and len(found) < MOST:
        following = known.get(task.wait.tasks[0]) if len(task.wait.tasks) == 1 else None
        if following is None or following.id in seen:
            break
        found.append(following)
        seen.add(following.id)
        task = following
    return found


def through_document(snapshot: Snapshot, task: Task) -> list[dict[str, object]]:
    """The same for ``--json``."""
    return [
        {
            "task": other.id,
            "name": other.name,
            "stack": [
                {
                    "file": frame.file,
                    "line": frame.line,
                    "function": frame.function,
                    "own": frame.own,
                    "kind": frame.kind,
                }
                for frame in other.frames
            ],
        }
        for other in through(snapshot, task)
    ]


def thread(snapshot: Snapshot, ident: int | None) -> Thread | None:
    """The thread with that ident, or None."""
    return next((item for item in snapshot.threads if item.ident == ident), None)


def spot_of(item: Thread) -> Frame | None:
    """Where a thread is: its innermost frame of the program's own code, else the innermost."""
    for frame in reversed(item.frames):
        if frame.own:
            return frame
    return item.frames[-1] if item.frames else None


def thread_document(snapshot: Snapshot, ident: int) -> dict[str, object]:
    """A thread for ``--json``, in short; ``stacktrace`` has it in full."""
    item = thread(snapshot, ident)
    return {
        "ident": ident,
        "name": item.name if item is not None else "",
        "where": phrases.frame_document(spot_of(item)) if item is not None else None,
    }


def job_document(snapshot: Snapshot, task: Task) -> dict[str, object] | None:
    """The thread that runs the job a task waits for, or None."""
    if task.wait is None or task.wait.thread is None:
        return None
    return thread_document(snapshot, task.wait.thread)


def threads(snapshot: Snapshot, task: Task) -> list[Line]:
    """Threads that stand still until a task ends."""
    lines = []
    for ident in task.threads[:MOST]:
        item = thread(snapshot, ident)
        name = item.name if item is not None and item.name else str(ident)
        spot = phrases.spot(spot_of(item)) if item is not None else ()
        limit = f", for at most {item.timeout:g} s" if item is not None and item.timeout else ""
        lines.append(line(f"  thread {name} waits for it in ", *spot, limit))
    return lines


def further(snapshot: Snapshot, task: Task) -> list[Line]:
    """What a wait leads to: a job's thread, several tasks, a timeout."""
    lines: list[Line] = []
    wait = task.wait
    if task.deadline is not None:
        lines.append(line(f"  a timeout in force ends this in {task.deadline:.1f} s"))
    if wait is None:
        return lines
    if wait.due is not None and wait.kind != "timer":
        lines.append(line(f"  stops waiting in {wait.due:.1f} s"))
    for name, value in wait.details:
        if name == "ended by signal":
            lines.append(line(f"  a handler of {value} ends this"))
    item = thread(snapshot, wait.thread)
    if item is not None:
        lines.append(line(f"  the job's thread, {item.name or item.ident}:"))
        lines += [line("    ", *phrases.spot(frame)) for frame in item.frames if frame.own] or [
            line("    ", *phrases.spot(spot_of(item)))
        ]
        for number in item.waits_for[:MOST]:
            lines.append(line(f"    that thread waits for task {_name(snapshot, number)}"))
    if len(wait.tasks) > 1 or (wait.tasks and wait.kind not in THROUGH):
        word = "any of" if wait.needs == "any" else "all of"
        which = f"{word} {len(wait.tasks)} tasks" if len(wait.tasks) > 1 else "task"
        names = ", ".join(_name(snapshot, number) for number in wait.tasks[:MOST])
        more = f" and {len(wait.tasks) - MOST} more" if len(wait.tasks) > MOST else ""
        lines.append(line(f"  needs {which}: {names}{more}"))
    return lines


def of_thread(snapshot: Snapshot, item: Thread) -> list[Line]:
    """What a thread has to do with tasks."""
    lines = []
    if item.works_for:
        names = ", ".join(_name(snapshot, number) for number in item.works_for[:MOST])
        lines.append(line((f"  runs a job that task {names} waits for", "warn")))
    if item.waits_for:
        names = ", ".join(_name(snapshot, number) for number in item.waits_for[:MOST])
        limit = f" for at most {item.timeout:g} s" if item.timeout is not None else ""
        lines.append(line((f"  stands still{limit} until task {names} ends", "warn")))
    return lines


def _name(snapshot: Snapshot, number: int) -> str:
    task = snapshot.task(number)
    return f"{task.name} ({number})" if task is not None else str(number)
