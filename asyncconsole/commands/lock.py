"""``lock``: one primitive in full, with the present stack of each holder."""

from __future__ import annotations

import argparse

from asyncconsole.commands import phrases, select
from asyncconsole.commands.command import Command
from asyncconsole.commands.locks import held_by, waited_for_by
from asyncconsole.commands.port import Target
from asyncconsole.commands.where import stack
from asyncconsole.model import Line, Result, Text, UnknownItemError, line


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lock", metavar="LOCK", help="id (L3) or name")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    try:
        snapshot = await select.about_resource(target, options.lock)
    except UnknownItemError:  # nobody waits for it or holds it: `locks --all` lists those
        snapshot = await target.snapshot("known")
    item = select.resource(snapshot, options.lock)
    document = {
        "schema": "asyncconsole/resource/1",
        "resource": phrases.resource_document(item),
        "holders": [],
    }
    lines: list[Line] = [
        line((item.id, "id"), f"  {item.type} ", (item.name, "name"), f"  {item.state}")
    ]
    for name, value in item.details:
        if value is not None:
            lines.append(line(f"  {name}: {value}"))
    lines.append(line("held by"))
    lines += [line("  ", *content) for content in held_by(snapshot, item) if content] or [
        line("  nobody")
    ]
    lines.append(line("waited for by"))
    waiters = [content for content in waited_for_by(item, None) if content]
    lines += [line("  ", *content) for content in waiters] or [line("  nobody")]
    for holder in item.holders:
        task = snapshot.task(holder.task)
        if task is None:
            continue
        lines += [
            line(),
            line(
                "the holder now: " if holder.certain else "probably the holder: ",
                (task.name, "name"),
                f" ({task.id})  {task.state}",
            ),
        ]
        lines += stack(snapshot, task, everything=False)
        document["holders"].append(phrases.task_document(task))  # type: ignore[attr-defined]  # the list made above
    return Result(document, (Text((*lines, *phrases.gaps(snapshot))),))


COMMAND = Command(
    name="lock",
    summary="Show one lock in full, with the holder's stack.",
    run=_run,
    configure=_configure,
    deadline=30.0,
    examples=("lock L1", "lock \"ACCOUNTS['bob']\""),
)
