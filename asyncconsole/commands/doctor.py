"""``doctor``: everything that is wrong, worst first."""

from __future__ import annotations

import argparse

from asyncconsole.commands import findings, phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.commands.verdict import document, unread, verdict
from asyncconsole.model import Diagnosis, Finding, Line, Result, Snapshot, Text, line
from asyncconsole.model.result import Style

STYLES: dict[str, Style] = {"deadlock": "bad", "stall": "bad", "leak": "warn", "suspect": "warn"}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quick",
        action="store_true",
        help="make no frozen copy of the program, and don't look closely at busy loops",
    )


async def _run(target: Target, options: argparse.Namespace) -> Result:
    deep = not options.quick
    snapshot, diagnosis = await verdict(target, deep=deep, thorough=True, loops=deep)
    lines = prose(snapshot, diagnosis)
    if not target.probe().on:
        lines.append(line(("not read: stalls: the stall probe is off (`probe on`)", "dim")))
    return Result(document(snapshot, diagnosis), (Text(tuple(lines)),))


def prose(snapshot: Snapshot, diagnosis: Diagnosis) -> list[Line]:
    """A whole diagnosis."""
    if not snapshot.loops and not diagnosis.findings:
        return [line(("No event loop was found in this process", "warn"), ", so no task.")]
    if not diagnosis.findings:
        return [line(("No finding.", "good")), *_looked_at(snapshot)]
    lines = findings.title(f"Found {_counts(diagnosis.findings)}.", STYLES[_worst(diagnosis)])
    for item in diagnosis.findings:
        lines += [line(), *told(snapshot, item)]
    return [*lines, line(), *_looked_at(snapshot)]


def told(snapshot: Snapshot, item: Finding) -> list[Line]:
    """One finding: what, why, how sure that is, and what to do."""
    sure = "proven " if item.proven and item.verdict == "deadlock" else ""
    head = line(
        (f"{item.id}  " if item.id else "", "id"),
        (f"{sure}{item.verdict}", STYLES[item.verdict]),
        (f" ({item.kind}): ", "dim"),
        (findings.headline(item), "name"),
    )
    return [head, *findings.finding_lines(snapshot, item)]


def _worst(diagnosis: Diagnosis) -> str:
    return diagnosis.findings[0].verdict


def _counts(found: tuple[Finding, ...]) -> str:
    """``1 deadlock, 2 stalls and 1 suspect``."""
    each: dict[str, int] = {}
    for item in found:
        each[item.verdict] = each.get(item.verdict, 0) + 1
    words = [phrases.plural(count, verdict) for verdict, count in each.items()]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _looked_at(snapshot: Snapshot) -> list[Line]:
    """What the verdict rests on, and what could not be had."""
    tasks = phrases.plural(snapshot.total, "task")
    loops = phrases.plural(len(snapshot.loops), "loop")
    stalls = phrases.plural(len(snapshot.stalls), "recorded stall")
    lines = [line((f"Looked at {tasks} of {loops}, twice, and at {stalls}.", "dim"))]
    copy = snapshot.autopsy
    if copy is not None and copy.pause:
        pause, took = copy.pause * 1000, copy.took
        text = f"A frozen copy of the program stopped it for {pause:.1f} ms and took {took:.1f} s."
        lines.append(line((text, "dim")))
    for gap in unread(snapshot):
        lines.append(line((f"not read: {gap.what}: {gap.why}", "dim")))
    return lines


COMMAND = Command(
    name="doctor",
    aliases=("doc",),
    summary="All that is wrong, worst first: evidence, cause, fix, what to do now.",
    run=_run,
    configure=_configure,
    deadline=30.0,
)
