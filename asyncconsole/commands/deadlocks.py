"""``deadlocks``: the verdict, in prose people can grep, or as the contract's JSON."""

from __future__ import annotations

import argparse
import dataclasses

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.diagnose import again, confirm
from asyncconsole.diagnose import phrases as words
from asyncconsole.model import Diagnosis, Finding, Line, Result, Snapshot, Task, Text, line


async def verdict(target: Target) -> tuple[Snapshot, Diagnosis]:
    """Two captures with a pause between them, and what they prove.

    The second reads only the tasks that could be part of a finding.
    """
    first = await target.snapshot("all")
    wanted = again(first)
    if wanted is not None and not wanted:
        return first, Diagnosis(first.pid, first.taken_at)
    await target.settle()
    second = await target.snapshot("all", only=wanted)
    return second, confirm(first, second, partial=wanted is not None)


async def _run(target: Target, _options: argparse.Namespace) -> Result:
    snapshot, diagnosis = await verdict(target)
    found = [item for item in diagnosis.findings if item.verdict in {"deadlock", "suspect"}]
    shown = dataclasses.replace(diagnosis, findings=tuple(found))
    return Result(document(shown), (Text(tuple(_prose(snapshot, found))),))


def document(diagnosis: Diagnosis) -> dict[str, object]:
    """The document of the contract: ``asyncconsole/diagnosis/1``."""
    made = dataclasses.asdict(diagnosis)
    return {"schema": made.pop("schema"), **made}


def _prose(snapshot: Snapshot, findings: list[Finding]) -> list[Line]:
    proven = [item for item in findings if item.verdict == "deadlock"]
    suspects = [item for item in findings if item.verdict == "suspect"]
    if not findings:
        if not snapshot.loops:
            return [line(("No event loop was found in this process", "warn"), ", so no task.")]
        count = phrases.plural(snapshot.total, "task")
        return [line(("Found no deadlock", "good"), f" among {count}."), *phrases.gaps(snapshot)]
    lines: list[Line] = []
    if len(proven) == 1:
        lines += _title(f"Found 1 deadlock: {_headline(proven[0])}", "bad")
    elif proven:
        lines += _title(f"Found {len(proven)} deadlocks:", "bad")
    else:
        lines.append(line("Found no proven deadlock."))
    for item in proven:
        if len(proven) > 1:
            lines += [line(), line((f"{item.id}  {_headline(item)}", "name"))]
        lines += _finding(snapshot, item)
    for item in suspects:
        lines += [line(), *_title(f"Suspect {item.id}: {_headline(item)}", "warn")]
        lines += _finding(snapshot, item)
    return [*lines, *phrases.gaps(snapshot)]


def _title(text: str, style: phrases.Style) -> list[Line]:
    return [line((text, style)), line(("=", "rule"))]


def _headline(finding: Finding) -> str:
    """The summary, and how many wait behind."""
    victims = len(finding.ids("victim"))
    if not victims:
        return f"{finding.summary}."
    verb = "waits" if victims == 1 else "wait"
    return f"{finding.summary}; {phrases.plural(victims, 'task')} {verb} behind them."


def _finding(snapshot: Snapshot, finding: Finding) -> list[Line]:
    lines: list[Line] = []
    cycle = [snapshot.task(number) for number in finding.cycle_ids]
    for index, task in enumerate(cycle):
        following = cycle[(index + 1) % len(cycle)]
        if task is not None and following is not None:
            lines += _member(snapshot, finding, task, following)
    others = [number for number in finding.ids("stuck") if number not in finding.cycle_ids]
    for label, numbers in (("Also in it", others), ("Behind them", list(finding.ids("victim")))):
        if numbers:
            behind = [text for n in numbers[:5] if (text := _behind(snapshot, n))]
            more = f", and {len(numbers) - 5} more" if len(numbers) > 5 else ""  # noqa: PLR2004 - as many as fit
            lines.append(line(f"{label}: {', '.join(behind)}{more}."))
    lines.append(line())
    if finding.proven:
        can = "it can never go on" if len(cycle) == 1 else "none can go on before the next one does"
        lines.append(line(f"Proven: {can}. (Assumes that {finding.assumes}.)"))
    else:
        lines.append(line((f"{finding.assumes[:1].upper()}{finding.assumes[1:]}.", "warn")))
    lines.append(line(f"Fix:    {finding.fix}."))
    if finding.now:
        lines.append(line(f"Now:    {finding.now}."))
    return lines


def _member(snapshot: Snapshot, finding: Finding, task: Task, following: Task) -> list[Line]:
    """What one task of the cycle holds and waits for."""
    lines = [line(('"', "dim"), (task.name, "name"), ('"', "dim"), f" ({task.id})")]
    involved = {item.id for item in finding.resources}
    for hold in task.holds:
        item = snapshot.resource(hold.resource)
        if item is not None and item.id in involved:
            taken = words.place(hold.file, hold.line, hold.function)
            lines.append(line(f"    holds      {words.what(item)}, taken at {taken}"))
    wait = task.wait
    if wait is None:
        return lines
    place = f"at {words.where(task)}, {phrases.since(wait)}"
    item = snapshot.resource(wait.resource) if wait.resource else None
    if item is not None:
        lines.append(line(f"    waits for  {words.what(item)}, {place}"))
        lines.append(line(f'    which is held by "{following.name}"'))
    else:
        through = f" through {wait.kind}" if wait.kind != "task" else ""
        lines.append(line(f'    awaits     "{following.name}" ({following.id}){through}, {place}'))
    return lines


def _behind(snapshot: Snapshot, number: int) -> str:
    task = snapshot.task(number)
    if task is None or task.wait is None:
        return ""
    target = task.wait.resource or task.wait.name
    return f"{task.name} ({task.id}) waits for {target}"


COMMAND = Command(
    name="deadlocks",
    aliases=("d",),
    summary="Prove deadlocks: who waits for whom, why none can go on, what to do.",
    run=_run,
    deadline=30.0,
)
