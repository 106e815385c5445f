"""``throw``: an exception into a task that is suspended."""

from __future__ import annotations

import argparse

from asyncconsole.commands import freed, resort, select
from asyncconsole.commands.command import Command, Plan
from asyncconsole.commands.deeds import Throw
from asyncconsole.commands.port import Target
from asyncconsole.model import ConsoleError, Result, Task, line

_LOCKS = {"lock", "semaphore"}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="number, name or id(task)")
    parser.add_argument(
        "exception",
        metavar="EXC",
        help="a builtin exception (TimeoutError), or module.Name of one that is loaded",
    )
    parser.add_argument("message", nargs="?", metavar="MESSAGE", help="its argument")
    resort.configure(parser)


async def _plan(target: Target, options: argparse.Namespace) -> Plan:
    resort.check("throw", options)
    before = await select.about(target, [options.task], deep=True)
    task = select.task(before, options.task)
    deed = Throw(task.id, resort.suspended("throw", task), options.exception, options.message)
    _harmless(resort.innermost(before, task))
    shown = options.exception.rpartition(".")[2]
    shown += f"({options.message!r})" if options.message is not None else ""
    who = f"{task.name} ({task.id})"
    lines = [line(f"Throwing {shown} into {who}, {resort.at(task)}.")]
    if frees := freed.promise(before, task.id, {task.id}):
        lines.append(line(f"Unless it is caught, that frees {frees}."))
    if task.awaited_by:
        lines.append(
            line(f"Unless it is caught, {resort.named(before, task.awaited_by)} hears of it.")
        )
    wait = task.wait
    if wait is not None and wait.kind in resort.ON_TASKS - {"wait_for"} and wait.tasks:
        lines.append(line(f"{resort.named(before, wait.tasks)} will go on without it."))
    return await resort.plan(target, resort.Facts("throw", deed, who, before, (task.id,)), lines)


def _harmless(task: Task) -> None:
    """Refuse what asyncio can't take in that place.

    Raises:
        ConsoleError: An exception there would break something else.
    """
    wait = task.wait
    if wait is None:
        return
    who = f"{task.name} ({task.id})"
    if wait.kind == "task_group":
        numbers = " ".join(map(str, wait.tasks[: resort.MOST_NAMES]))
        msg = (
            f"throw: {who} waits for the tasks of its TaskGroup, which would go on without "
            f"anybody. Throw into one of them ({numbers}), or `cancel {task.id}`."
        )
        raise ConsoleError(msg)
    if wait.kind in _LOCKS and wait.type.startswith("anyio."):
        # anyio's Lock and Semaphore leave their queue only for a cancellation.
        msg = f"throw: {who} would stay in the queue of {wait.name}. Use `cancel {task.id}`."
        raise ConsoleError(msg)
    # Condition.wait() takes its lock again before it returns or raises, and may not fail to:
    # the `async with` around it would give back a lock that somebody else has.
    in_condition = any(
        frame.file.replace("\\", "/").endswith("asyncio/locks.py")
        and frame.function in {"wait", "Condition.wait"}
        for frame in task.frames
    )
    if wait.kind == "lock" and in_condition:
        msg = (
            f"throw: {who} is on its way out of Condition.wait() and must get {wait.name} "
            f"({wait.resource}) first. See `lock {wait.resource}`."
        )
        raise ConsoleError(msg)


async def _run(target: Target, options: argparse.Namespace) -> Result:
    return await resort.run(target, options)


COMMAND = Command(
    name="throw",
    summary="Last resort: throw an exception into a suspended task.",
    run=_run,
    configure=_configure,
    effect="write",
    plan=_plan,
    deadline=30.0,
    group="act",
    examples=("throw 3 TimeoutError", "throw 3 TimeoutError 'gave up' --yes"),
)
