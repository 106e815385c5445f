"""``cancel``: says what it frees, asks the tasks to cancel, and says what came of it."""

from __future__ import annotations

import argparse

from asyncconsole.commands import freed, phrases, select
from asyncconsole.commands.command import Command
from asyncconsole.commands.deeds import CancelOutcome
from asyncconsole.commands.port import Target
from asyncconsole.diagnose import cancelled_with
from asyncconsole.model import Line, Result, Snapshot, Text, UsageError, line

MOST = 10_000


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
    witnesses = freed.witnesses(before, chosen)
    outcomes, fates = await target.cancel(chosen, options.wait, witnesses)
    lines += [_outcome(outcome) for outcome in outcomes[:50]]
    documents: list[dict[str, object]] = []
    if any(outcome.outcome in {"cancelled", "finished"} for outcome in outcomes):
        held = freed.held(before, chosen)
        after = await target.around(resources=held, witnesses=witnesses)
        lines += freed.told(before, after, chosen, fates, documents)
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
        "freed": documents,
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


def _intent(snapshot: Snapshot, number: int, going: set[int]) -> Line:
    """What cancelling that task will free; () when it holds nothing."""
    task = snapshot.task(number)
    frees = freed.promise(snapshot, number, going)
    return line(f"Cancelling {task.name} ({task.id}) frees {frees}.") if task and frees else ()


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
