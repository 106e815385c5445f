"""``cancel``: says what it frees, asks the tasks to cancel, and says what came of it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from asyncconsole.commands import phrases, select
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import CancelOutcome, Target
from asyncconsole.diagnose import cancelled_with
from asyncconsole.model import Line, Resource, Result, Snapshot, Task, Text, UsageError, line

MOST = 10_000
MOST_HEIRS = 5
"""Waiters of one primitive whose fate is told."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tasks", nargs="+", metavar="TASK", help="number, name or id(task)")
    parser.add_argument("--tree", action="store_true", help="also the tasks that it awaits")
    parser.add_argument("--wait", type=float, default=5.0, metavar="S", help="watch for S seconds")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    if not 0 <= options.wait <= 60:  # noqa: PLR2004 - see the message
        msg = "cancel: --wait takes seconds from 0 to 60."
        raise UsageError(msg)
    before = await select.about(target, options.tasks, deep=True)
    chosen = list(dict.fromkeys(select.task(before, word).id for word in options.tasks))
    if options.tree:
        chosen = _with_children(before, chosen)
    going = _with_them(before, chosen)
    lines = [_intent(before, number, going) for number in chosen[:20]]
    witnesses = sorted({n for item in before.resources for n in _queue(item)} - set(chosen))
    outcomes, fates = await target.cancel(chosen, options.wait, witnesses)
    lines += [_outcome(outcome) for outcome in outcomes[:50]]
    freed: list[dict[str, object]] = []
    if any(outcome.outcome in {"cancelled", "finished"} for outcome in outcomes):
        held = {hold.resource for n in chosen if (task := before.task(n)) for hold in task.holds}
        after = await target.around(resources=sorted(held), witnesses=witnesses)
        lines += _freed(before, after, chosen, fates, freed)
    ok = all(outcome.outcome in {"cancelled", "finished", "done"} for outcome in outcomes)
    document = {
        "schema": "asyncconsole/cancel/1",
        "outcomes": [
            {
                "task": outcome.task,
                "name": outcome.name,
                "outcome": outcome.outcome,
                "after": round(outcome.after, 4),
                "detail": outcome.detail,
            }
            for outcome in outcomes
        ],
        "freed": freed,
    }
    return Result(
        document, (Text(tuple(item for item in lines if item)),), exit_code=0 if ok else 1
    )


def _with_children(snapshot: Snapshot, chosen: list[int]) -> list[int]:
    """The tasks and all that they await, awaiters first."""
    tasks = {task.id: task for task in snapshot.tasks}
    found = list(chosen)
    for number in found:
        task = tasks.get(number)
        if task is not None and task.wait is not None:
            found += [n for n in task.wait.tasks if n in tasks and n not in found]
        if len(found) > MOST:
            break
    return found


def _with_them(snapshot: Snapshot, chosen: list[int]) -> set[int]:
    """The tasks and everyone to whom their cancellation is passed on."""
    tasks = {task.id: task for task in snapshot.tasks}
    found: set[int] = set()
    todo = list(chosen)
    while todo:
        number = todo.pop()
        if number not in found and number in tasks:
            found.add(number)
            todo += cancelled_with(tasks[number])
    return found


def _queue(item: Resource) -> list[int]:
    """The first tasks that wait for a primitive which somebody holds."""
    if not item.holders:
        return []
    return [waiter.task for waiter in item.waiters[:MOST_HEIRS] if waiter.task is not None]


def _intent(snapshot: Snapshot, number: int, going: set[int]) -> Line:
    """What cancelling that task will free; () when it holds nothing."""
    task = snapshot.task(number)
    if task is None or not task.holds:
        return ()
    parts = []
    for hold in task.holds:
        item = snapshot.resource(hold.resource)
        if item is None:
            continue
        first = next((waiter for waiter in item.waiters if waiter.task not in going), None)
        then = f", then {first.name} ({first.task}) gets it" if first is not None else ""
        doubt = "" if hold.certain else "probably "
        parts.append(f"{doubt}{item.name} ({item.id}){then}")
    return line(f"Cancelling {task.name} ({task.id}) frees {'; '.join(parts)}.")


def _outcome(outcome: CancelOutcome) -> Line:
    name: tuple[str, phrases.Style] = (outcome.name, "name")
    number = f" ({outcome.task}) "
    detail = f"{outcome.detail}" if outcome.detail else ""
    if outcome.outcome == "cancelled":
        left = f", {detail}" if detail else ""
        return line(
            name, number, ("cancelled", "good"), f" after {outcome.after * 1000:.0f} ms{left}."
        )
    if outcome.outcome == "finished":
        return line(
            name, number, f"ended after {outcome.after * 1000:.0f} ms, but not cancelled: {detail}."
        )
    if outcome.outcome == "done":
        return line(name, number, "had ended before.")
    if outcome.outcome == "swallowed":
        return line(name, number, ("caught the request and goes on", "warn"), f": {detail}.")
    if outcome.outcome == "blocked":
        return line(
            "Asked ",
            name,
            number,
            f"to cancel, but {detail}. "
            f"Still pending after {outcome.after:.1f} s; the request stays.",
        )
    text = f": {detail}" if detail else ""
    return line(
        "Asked ",
        name,
        number,
        ("to cancel; still pending", "warn"),
        f" after {outcome.after:.1f} s{text}.",
    )


def _freed(
    before: Snapshot,
    after: Snapshot,
    chosen: list[int],
    fates: Mapping[int, str],
    freed: list[dict[str, object]],
) -> list[Line]:
    """What happened to each primitive that the cancelled tasks held."""
    lines = []
    live = {task.id: task for task in after.tasks}
    for number in chosen:
        task = before.task(number)
        for hold in task.holds if task is not None else ():
            item = before.resource(hold.resource)
            if item is None:
                continue
            now = after.resource(item.id)
            if now is not None and any(holder.task == number for holder in now.holders):
                continue  # still held: the task goes on
            heirs = _heirs(item, live, chosen, fates)
            holders = (
                [f"{h.name} ({h.task}) has it" for h in now.holders] if now is not None else []
            )
            story = " → ".join([*heirs, *[text for text in holders if text not in heirs]])
            freed.append({"resource": item.id, "name": item.name, "then": story})
            tail = f" → {story}" if story else ""
            lines.append(line(("Freed ", "good"), f"{item.name} ({item.id}){tail}."))
    return lines


def _heirs(
    item: Resource, live: dict[int, Task], chosen: list[int], fates: Mapping[int, str]
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


COMMAND = Command(
    name="cancel",
    aliases=("ca",),
    summary="Cancel tasks; says what that frees and what came of it.",
    run=_run,
    configure=_configure,
    effect="write",
    deadline=90.0,
    group="act",
    examples=("cancel 3", "cancel transfer:b→a --wait 1", "cancel 1 --tree"),
)
