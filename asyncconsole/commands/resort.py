"""What ``throw``, ``resolve`` and ``release`` share: their options, words and document."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from asyncconsole.commands import freed, phrases
from asyncconsole.commands.command import Plan
from asyncconsole.commands.deeds import Deed, DeedOutcome, Release
from asyncconsole.commands.port import Target
from asyncconsole.model import ConsoleError, Line, Result, Snapshot, Task, Text, UsageError, line

LONGEST = 60
GOOD = {"raised", "finished", "cancelled", "goes_on", "released", "done"}

ON_TASKS = {"task", "gather", "wait", "as_completed", "wait_for", "shield", "task_group"}
"""Waits for other tasks."""

MOST_NAMES = 5

MOST_LAYERS = 50
"""Tasks of ``wait_for`` inside each other that are followed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen before, and what is to be done.

    Attributes:
        command: Its name.
        deed: What to do.
        what: Whom it is done to, in words.
        before: The program as it was.
        tasks: Ids of the tasks whose holds may be freed.
        given: Id of the primitive that is given back; None when there is none.
    """

    command: str
    deed: Deed
    what: str
    before: Snapshot
    tasks: tuple[int, ...] = ()
    given: str | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options that all of them have."""
    parser.add_argument("--wait", type=float, default=5.0, metavar="S", help="watch for S seconds")


def check(command: str, options: argparse.Namespace) -> None:
    """Refuse options that mean nothing.

    Raises:
        UsageError: ``--wait`` is out of its range.
    """
    if not 0 <= options.wait <= LONGEST:
        msg = f"{command}: --wait takes seconds from 0 to {LONGEST}."
        raise UsageError(msg)


def suspended(command: str, task: Task) -> int:
    """The token of what a task waits for.

    Raises:
        ConsoleError: It waits for nothing, or that can't be told.
    """
    if task.wait is None or not task.wait.token:
        msg = (
            f"{command}: {task.name} ({task.id}) is {task.state}, not suspended. Try again, or "
            f"see `where {task.id}`."
        )
        raise ConsoleError(msg)
    return task.wait.token


def innermost(snapshot: Snapshot, task: Task) -> Task:
    """The task that waits in its stead.

    Up to Python 3.11 `asyncio.wait_for` runs what it waits for in a task of its own.
    """
    for _ in range(MOST_LAYERS):
        wait = task.wait
        if wait is None or wait.kind != "wait_for" or len(wait.tasks) != 1:
            break
        inner = snapshot.task(wait.tasks[0])
        if inner is None:
            break
        task = inner
    return task


def at(task: Task) -> str:
    """``which waits for Lock A (L1) at bank.py:3``."""
    spot = task.where
    where = f" at {phrases.base(spot.file)}:{spot.line}" if spot is not None and spot.line else ""
    return f"which waits for {phrases.waiting(task.wait)}{where}"


def named(snapshot: Snapshot, numbers: Sequence[int]) -> str:
    """``a (3), b (4) and 7 more``."""
    names = [
        f"{task.name} ({number})" if (task := snapshot.task(number)) is not None else str(number)
        for number in numbers[:MOST_NAMES]
    ]
    rest = len(numbers) - MOST_NAMES
    return ", ".join(names) + (f" and {rest} more" if rest > 0 else "")


async def plan(target: Target, facts: Facts, lines: Sequence[Line]) -> Plan:
    """The plan of such a command, once it is known that it can be tried."""
    target.rehearse(facts.deed)
    return Plan(tuple(item for item in lines if item), facts)


async def run(target: Target, options: argparse.Namespace) -> Result:
    """Do what was planned, and tell what came of it."""
    facts: Facts = options.plan.facts
    watched = freed.witnesses(facts.before, facts.tasks)
    outcome, fates = await target.recover(facts.deed, options.wait, watched)
    lines = [] if options.asked else list(options.plan.lines)
    lines.append(_told(facts, outcome))
    documents: list[dict[str, object]] = []
    if outcome.outcome in GOOD - {"done"}:
        things = freed.held(facts.before, facts.tasks)
        things += [facts.given] if facts.given is not None else []
        if things:
            after = await target.around(resources=things, witnesses=watched)
            lines += freed.told(facts.before, after, facts.tasks, fates, documents)
            item = facts.before.resource(facts.given) if facts.given is not None else None
            if item is not None:
                lines.append(freed.passed_on(item, after, (), fates, documents))
    document = {
        "schema": "asyncconsole/recovery/1",
        "command": facts.command,
        "task": None if isinstance(facts.deed, Release) else facts.deed.task,
        "resource": facts.given,
        "outcome": outcome.outcome,
        "after": round(outcome.after, 4),
        "detail": outcome.detail,
        "intent": ["".join(span.text for span in item) for item in options.plan.lines],
        "freed": documents,
    }
    code = 0 if outcome.outcome in GOOD else 1
    return Result(document, (Text(tuple(lines)),), exit_code=code)


def _told(facts: Facts, outcome: DeedOutcome) -> Line:
    """What came of it."""
    name: tuple[str, phrases.Style] = (facts.what, "name")
    after = f" after {outcome.after * 1000:.0f} ms"
    detail = outcome.detail
    stories: dict[str, Line] = {
        "raised": line(name, (" ended with it", "good"), f"{after}: {detail}."),
        "finished": line(name, (" ended", "good"), f"{after}: {detail}."),
        "cancelled": line(name, f" ended{after}, cancelled."),
        "goes_on": line(
            name, (" goes on", "good"), f"{after}{f', now at {detail}' if detail else ''}."
        ),
        "released": line("Released ", name, f"{after}."),
        "done": line(name, " had ended before."),
        "blocked": line(
            ("Nothing was done", "warn"),
            f": {detail}. Waited {outcome.after:.1f} s, then took the request back.",
        ),
        "pending": line(
            "It was done, but ",
            name,
            (" has not gone on", "warn"),
            f" within {outcome.after:.1f} s: it is at {detail}.",
        ),
    }
    return stories.get(outcome.outcome, line(("Nothing was done", "warn"), f": {detail}."))
