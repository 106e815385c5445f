"""``tree``: who awaits whom. Cycles are drawn, shared branches are shown once."""

from __future__ import annotations

import argparse

from asyncconsole.commands import phrases, select
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Line, Result, Snapshot, Task, Text, line

MOST = 2_000


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", nargs="?", metavar="TASK", help="only below that task")
    parser.add_argument("--limit", type=int, default=MOST, metavar="N", help="lines at most")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    if options.task:
        snapshot = await select.about(target, (options.task,), deep=True)
    else:
        snapshot = await target.snapshot("tasks")
    tasks = {task.id: task for task in snapshot.tasks}
    wanted = [select.task(snapshot, options.task)] if options.task else None
    roots = wanted or _roots(snapshot, tasks)
    lines = _draw(roots, tasks, max(1, options.limit))
    document = {
        "schema": "asyncconsole/tree/1",
        "roots": [task.id for task in roots],
        "tasks": [
            {"id": task.id, "name": task.name, "awaits": _children(task, tasks)}
            for task in snapshot.tasks
        ],
    }
    return Result(document, (Text(tuple(lines)),))


def _children(task: Task, tasks: dict[int, Task]) -> list[int]:
    return [n for n in task.wait.tasks if n in tasks] if task.wait is not None else []


def _roots(snapshot: Snapshot, tasks: dict[int, Task]) -> list[Task]:
    """Tasks that nobody awaits, then one task of each cycle that no root reaches."""
    roots = [task for task in snapshot.tasks if not task.awaited_by]
    reached: set[int] = set()

    def reach(start: int) -> None:
        todo = [start]
        while todo:
            number = todo.pop()
            if number not in reached:
                reached.add(number)
                todo += _children(tasks[number], tasks)

    for task in roots:
        reach(task.id)
    for task in snapshot.tasks:
        if task.id not in reached:
            roots.append(task)
            reach(task.id)
    return roots


def _draw(roots: list[Task], tasks: dict[int, Task], most: int) -> list[Line]:
    """Depth first without recursion, so that a chain of thousands is no problem."""
    lines: list[Line] = []
    drawn: set[int] = set()
    above: list[int] = []
    inside: set[int] = set()
    todo: list[tuple[Task, int, str, bool]] = [(task, 0, "", True) for task in reversed(roots)]
    while todo:
        task, depth, prefix, last = todo.pop()
        if len(lines) >= most:
            lines.append(line((f"… more than {most} lines; `tree TASK` shows a part", "dim")))
            break
        inside.difference_update(above[depth:])
        del above[depth:]
        branch = "" if depth == 0 else prefix + ("└─ " if last else "├─ ")
        children = _children(task, tasks)
        if task.id in inside:
            lines.append(_line(branch, task, "  ↺ cycle: awaits itself through the above"))
            continue
        if task.id in drawn and children:
            lines.append(_line(branch, task, "  … shown above"))
            continue
        drawn.add(task.id)
        lines.append(_line(branch, task, ""))
        above.append(task.id)
        inside.add(task.id)
        # The prefix stops growing where no terminal is wide enough to show it.
        below = "" if depth == 0 else (prefix + ("   " if last else "│  "))[:120]
        for index, number in enumerate(reversed(children)):
            todo.append((tasks[number], depth + 1, below, index == 0))
    return lines or [line("No tasks.")]


def _line(branch: str, task: Task, note: str) -> Line:
    wait = task.wait
    what = f"  {phrases.waiting(wait) if wait is not None else task.state}"
    return line(
        (branch, "dim"),
        (task.name, "name"),
        f" ({task.id})",
        what,
        "  ",
        *phrases.spot(task.where),
        (note, "warn"),
    )


COMMAND = Command(
    name="tree",
    aliases=("t",),
    summary="Draw which task awaits which, cycles included.",
    run=_run,
    configure=_configure,
    deadline=30.0,
    examples=("tree", "tree 1"),
)
