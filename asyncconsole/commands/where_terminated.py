"""``where-terminated``: how one ended task came to be, and how it ended."""

from __future__ import annotations

import argparse

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.commands.ps_terminated import STYLES, ended_document, lasted, outcome
from asyncconsole.model import Line, Result, Text, UnknownItemError, line
from asyncconsole.model.ended import Ended


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", metavar="ENDED", help="number or name of an ended task")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    status = target.track()
    item = _chosen(list(target.ended()), options.task, tracked=status.tasks)
    document = {
        "schema": "asyncconsole/terminated/1",
        "tracked": status.tasks,
        "tasks": [ended_document(item)],
        "total": 1,
        "shown": 1,
        "dropped": status.dropped,
    }
    return Result(document, (Text(tuple(_told(item))),))


def _chosen(items: list[Ended], word: str, *, tracked: bool) -> Ended:
    """The ended task that ``word`` names; the last one of a name."""
    for item in reversed(items):
        if word in (str(item.id), item.name):
            return item
    hint = (
        "`ps-terminated` lists them." if tracked else "`track tasks on` records them from now on."
    )
    msg = f"No ended task `{word[:80]}`. {hint}"
    raise UnknownItemError(msg)


def _told(item: Ended) -> list[Line]:
    after = f" after {lasted(item)}" if item.lasted is not None else ""
    lines = [
        line(
            (item.name, "name"),
            f" ({item.id})  ",
            (item.outcome, STYLES[item.outcome]),
            f"{after}: {outcome(item)}" if outcome(item) else after,
        ),
        line(f"  {item.coro}, ended {item.ended}"),
    ]
    if item.raised is not None:
        lines.append(line("  raised at ", *phrases.spot(item.raised)))
    return lines + phrases.creation(item.created, item.creator, item.creation)


COMMAND = Command(
    name="where-terminated",
    aliases=("wt",),
    summary="Show an ended task: outcome, where it raised, where it was created.",
    run=_run,
    configure=_configure,
    examples=("where-terminated 12", "wt fetch:7"),
)
