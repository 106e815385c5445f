"""``ps-terminated``: tasks that have ended, newest first; only while tasks are tracked."""

from __future__ import annotations

import argparse

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Column, Line, Result, Table, Text, line
from asyncconsole.model.ended import Ended

STYLES: dict[str, phrases.Style] = {"returned": "good", "raised": "bad", "cancelled": "warn"}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pattern", nargs="?", metavar="PATTERN", help="part of a name or coroutine")
    parser.add_argument("--outcome", choices=tuple(STYLES), help="how they ended")
    parser.add_argument("--limit", type=int, metavar="N", help="show at most N rows")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    everyone = list(target.ended())
    status = target.track()
    chosen = [
        item
        for item in reversed(everyone)
        if (not options.pattern or options.pattern in item.name or options.pattern in item.coro)
        and (options.outcome is None or item.outcome == options.outcome)
    ]
    shown = chosen if options.limit is None else chosen[: max(0, options.limit)]
    document = {
        "schema": "asyncconsole/terminated/1",
        "tracked": status.tasks,
        "tasks": [ended_document(item) for item in shown],
        "total": len(chosen),
        "shown": len(shown),
        "dropped": status.dropped,
    }
    notes = [_footer(len(chosen), len(shown), status.dropped)]
    if not status.tasks:
        notes.append(untracked())
    blocks: tuple[Table | Text, ...] = (Text(tuple(notes)),)
    if shown:
        blocks = (_table(shown), *blocks)
    return Result(document, blocks)


def _footer(total: int, shown: int, dropped: int) -> Line:
    text = phrases.plural(total, "ended task")
    if shown < total:
        text += f", {shown} shown"
    if dropped:
        text += f"; {dropped} older ones dropped"
    return line(text)


def untracked() -> Line:
    """What to do when nothing is recorded."""
    return line(("Tasks are not tracked now: `track tasks on` begins.", "warn"))


def _table(items: list[Ended]) -> Table:
    columns = (
        Column("ID", "right"),
        Column("OUTCOME"),
        Column("NAME", least=12),
        Column("CORO", least=8),
        Column("LASTED", "right"),
        Column("ENDED"),
        Column("RESULT", least=20),
    )
    rows = tuple(
        (
            (line((str(item.id), "id")),),
            (line((item.outcome, STYLES[item.outcome])),),
            (line((item.name, "name")),),
            (line(item.coro),),
            (line(lasted(item)),),
            (line(item.ended[11:23]),),
            (line(outcome(item)),),
        )
        for item in items
    )
    return Table(columns, rows)


def outcome(item: Ended) -> str:
    """What came of a task, in words."""
    if item.outcome == "raised":
        return item.exception
    if item.outcome == "cancelled":
        if item.cancelled_by == "unknown":
            return "cancelled, by whom is not known"
        return f"cancelled by {item.cancelled_by}"
    return item.result


def lasted(item: Ended) -> str:
    """How long a task lived, in words; "" when unknown."""
    text = phrases.age(item.lasted, exact=True)
    return text if item.exact or not text else f"≤ {text}"


def ended_document(item: Ended) -> dict[str, object]:
    """An ended task as ``--json`` shows it."""
    return {
        "id": item.id,
        "name": item.name,
        "coro": item.coro,
        "outcome": item.outcome,
        "result": item.result if item.outcome == "returned" else None,
        "exception": item.exception or None,
        "cancelled_by": item.cancelled_by or None,
        "created": item.created,
        "ended": item.ended,
        "lasted": None if item.lasted is None else round(item.lasted, 6),
        "exact": item.exact,
        "creator": item.creator or None,
        "creation": [phrases.frame_document(frame) for frame in item.creation],
        "raised": phrases.frame_document(item.raised),
    }


COMMAND = Command(
    name="ps-terminated",
    aliases=("pt",),
    summary="List tasks that have ended: result, exception, who cancelled them.",
    run=_run,
    configure=_configure,
    examples=("ps-terminated", "pt --outcome raised", "pt fetch --limit 20"),
)
