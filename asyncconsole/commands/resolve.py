"""``resolve``: completes the future that a task is suspended on."""

from __future__ import annotations

import argparse
import ast
from collections.abc import AsyncIterator
from contextlib import aclosing

from asyncconsole.commands import resort, select
from asyncconsole.commands.command import Command, Plan
from asyncconsole.commands.deeds import Resolve
from asyncconsole.commands.port import Target
from asyncconsole.model import ConsoleError, Line, Result, Snapshot, Task, UsageError, line

_HELD = {"lock", "semaphore", "limiter", "pool"}
"""Waits whose end means that one has got something."""

_LOOK_AGAIN = {"queue_get", "queue_put", "condition", "barrier", "stream_send", "stream_receive"}
"""Waits that are in a loop: who wakes looks whether there is reason to."""

_LONGEST = 4096


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="number, name or id(task)")
    parser.add_argument(
        "value",
        nargs="?",
        default="None",
        metavar="VALUE",
        help="the result, a Python literal such as 3 or \"'text'\" (default None)",
    )
    resort.configure(parser)


async def _plan(target: Target, options: argparse.Namespace) -> Plan:
    resort.check("resolve", options)
    value = _literal(options.value)
    before = await select.about(target, [options.task], deep=True)
    task = select.task(before, options.task)
    token = resort.suspended("resolve", task)
    inner = resort.innermost(before, task)
    _completable(before, inner)
    who = f"{task.name} ({task.id})"
    shown = repr(value)
    shown = shown if len(shown) < 60 else shown[:57] + "..."  # noqa: PLR2004 - as much as reads well
    lines = [
        line(f"Waking {who}, {resort.at(task)}: the future gets {shown}."),
        *_consequences(inner),
    ]
    if also := [name async for name in _also(target, inner)]:
        more = f" and {len(also) - resort.MOST_NAMES} more" if len(also) > resort.MOST_NAMES else ""
        names = ", ".join(also[: resort.MOST_NAMES])
        lines.append(line(f"The same future wakes {names}{more}."))
    deed = Resolve(task.id, token, value)
    return await resort.plan(target, resort.Facts("resolve", deed, who, before, (task.id,)), lines)


def _literal(text: str) -> object:
    """The value that a literal means.

    Raises:
        UsageError: It is none.
    """
    if len(text) > _LONGEST:
        msg = f"resolve: VALUE may have {_LONGEST} characters."
        raise UsageError(msg)
    try:
        found: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        msg = (
            f"resolve: `{text[:60]}` is no Python literal. Quote text twice: "
            "resolve TASK \"'text'\"."
        )
        raise UsageError(msg) from None
    return found


def _completable(snapshot: Snapshot, task: Task) -> None:
    """Refuse waits whose end is not a future's to say.

    Raises:
        ConsoleError: It waits for a task, or for something that it would then have.
    """
    wait = task.wait
    if wait is None:
        return
    who = f"{task.name} ({task.id})"
    if wait.kind in resort.ON_TASKS and (wait.tasks or wait.kind in {"gather", "shield"}):
        below = resort.named(snapshot, wait.tasks) or wait.name
        msg = (
            f"resolve: {who} waits for {below}, and only that can give a result. "
            f"See `where {task.id}`."
        )
        raise ConsoleError(msg)
    if wait.kind in _HELD:
        instead = f"Use `release {wait.resource}`" if wait.kind != "pool" else "Use `throw`"
        msg = (
            f"resolve: {who} would think that it has {wait.name}, which somebody else may have. "
            f"{instead}, or `cancel {task.id}`."
        )
        raise ConsoleError(msg)


async def _also(target: Target, waiter: Task) -> AsyncIterator[str]:
    """Other tasks that are suspended on the very same future."""
    token = waiter.wait.token if waiter.wait is not None else 0
    async with aclosing(target.stream()) as parts:  # type: ignore[type-var]  # it is a generator
        async for part in parts:
            for task in part.tasks:
                if task.wait is not None and task.wait.token == token and task.id != waiter.id:
                    yield f"{task.name} ({task.id})"


def _consequences(task: Task) -> list[Line]:
    """What else comes of it."""
    wait = task.wait
    if wait is None:
        return []
    found = []
    if wait.kind == "future":
        found.append(line("Whoever completes it later gets InvalidStateError."))
    elif wait.kind == "executor":
        found.append(line("The thread goes on; its own result will be refused, with a log line."))
    elif wait.kind == "event":
        found.append(line(f"{wait.name} itself is not set: nobody else goes on."))
    elif wait.kind in _LOOK_AGAIN:
        found.append(line("It looks again, and waits again where nothing has changed."))
    return found


async def _run(target: Target, options: argparse.Namespace) -> Result:
    return await resort.run(target, options)


COMMAND = Command(
    name="resolve",
    summary="Last resort: complete the future that a task is suspended on.",
    run=_run,
    configure=_configure,
    effect="write",
    plan=_plan,
    deadline=30.0,
    group="act",
    examples=("resolve 3", "resolve 3 \"{'status': 200}\" --yes"),
)
