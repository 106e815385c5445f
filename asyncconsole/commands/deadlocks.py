"""``deadlocks``: the verdict, in prose people can grep, or as the contract's JSON."""

from __future__ import annotations

import argparse
import dataclasses

from asyncconsole.commands import findings, phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.commands.verdict import document, unread, verdict
from asyncconsole.model import Finding, Line, Result, Snapshot, Text, line


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="make no frozen copy of the program")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    snapshot, diagnosis = await verdict(target, deep=not options.quick)
    chosen = [item for item in diagnosis.findings if item.verdict in {"deadlock", "suspect"}]
    found = [dataclasses.replace(item, id=f"F{n}") for n, item in enumerate(chosen, 1)]
    shown = dataclasses.replace(diagnosis, findings=tuple(found))
    return Result(document(snapshot, shown), (Text(tuple(_prose(snapshot, found))),))


def _prose(snapshot: Snapshot, found: list[Finding]) -> list[Line]:
    proven = [item for item in found if item.verdict == "deadlock"]
    suspects = [item for item in found if item.verdict == "suspect"]
    if not found:
        if not snapshot.loops:
            return [line(("No event loop was found in this process", "warn"), ", so no task.")]
        count = phrases.plural(snapshot.total, "task")
        return [
            line(("Found no deadlock", "good"), f" among {count}."),
            *phrases.missing(unread(snapshot)),
        ]
    lines: list[Line] = []
    if len(proven) == 1:
        lines += findings.title(f"Found 1 deadlock: {findings.headline(proven[0])}", "bad")
    elif proven:
        lines += findings.title(f"Found {len(proven)} deadlocks:", "bad")
    else:
        lines.append(line("Found no proven deadlock."))
    for item in proven:
        if len(proven) > 1:
            lines += [line(), line((f"{item.id}  {findings.headline(item)}", "name"))]
        lines += findings.finding_lines(snapshot, item)
    for item in suspects:
        lines += [line(), *findings.title(f"Suspect {item.id}: {findings.headline(item)}", "warn")]
        lines += findings.finding_lines(snapshot, item)
    return [*lines, *phrases.missing(unread(snapshot))]


COMMAND = Command(
    name="deadlocks",
    aliases=("d",),
    summary="Prove deadlocks: who waits for whom, why none can go on, what to do.",
    run=_run,
    configure=_configure,
    deadline=30.0,
)
