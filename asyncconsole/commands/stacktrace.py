"""``stacktrace``: what every thread executes."""

from __future__ import annotations

import argparse
import dataclasses

from asyncconsole.commands import links, phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Line, Result, Text, Thread, UnknownItemError, line


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("thread", nargs="?", metavar="THREAD", help="name or ident")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    snapshot = await target.snapshot("threads")
    threads = [item for item in snapshot.threads if _chosen(item, options.thread)]
    if not threads and options.thread:
        names = ", ".join(item.name or str(item.ident) for item in snapshot.threads[:10])
        msg = f"No thread `{options.thread}`. There are: {names}."
        raise UnknownItemError(msg)
    if any(item.works_for or item.waits_for for item in threads):
        snapshot = dataclasses.replace(
            snapshot, tasks=(await target.snapshot("tasks")).tasks
        )  # their names
    texts = {(file, number): text for file, number, text in snapshot.sources}
    lines: list[Line] = []
    for item in threads:
        loop = f"  runs loop {item.loop}" if item.loop is not None else ""
        daemon = "  daemon" if item.daemon else ""
        native = f"  tid {item.native_id}" if item.native_id is not None else ""
        lines.append(
            line((item.name or "thread", "name"), f" ({item.ident}){native}{daemon}{loop}")
        )
        lines += links.of_thread(snapshot, item)
        for frame in item.frames:
            source = texts.get((frame.file, frame.line), "")
            lines.append(line("  ", *phrases.spot(frame), (f"    {source}".rstrip(), "dim")))
        lines.append(line())
    document = {
        "schema": "asyncconsole/threads/1",
        "threads": [dataclasses.asdict(item) for item in threads],
    }
    return Result(document, (Text(tuple(lines[:-1])),))


def _chosen(thread: Thread, word: str | None) -> bool:
    return word is None or word in (thread.name, str(thread.ident), str(thread.native_id))


COMMAND = Command(
    name="stacktrace",
    aliases=("st",),
    summary="Show the stack of every thread, or of one.",
    run=_run,
    configure=_configure,
)
