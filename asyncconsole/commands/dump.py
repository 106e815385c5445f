"""``dump``: all that commands show of the program, as a file for ``asyncconsole view``."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Keep, Target
from asyncconsole.commands.verdict import verdict
from asyncconsole.model import Gap, Result, Text, line
from asyncconsole.model.autopsy import Autopsy
from asyncconsole.model.instant import bare
from asyncconsole.model.recording import Judgement, Recording
from asyncconsole.model.records import lines

PIECE = 1 << 16
"""Characters that are passed on in one go."""

TO_CLIENT = "-"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a new file on the program's machine (default: one in its folder for temporary "
        "files), or - for the snapshot itself, as lines of JSON",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="make no frozen copy of the program, and don't look closely at busy loops",
    )


def _asks(options: argparse.Namespace) -> bool:
    """What is given to the client leaves the program's machine alone."""
    return bool(options.file == TO_CLIENT)


async def _run(target: Target, options: argparse.Namespace) -> Result:
    recording = await record(target, deep=not options.quick)
    pieces = _pieces(lines(recording, target.polls))
    if options.file == TO_CLIENT:
        return Result({}, stream=pieces)
    keep: Keep = options.keep
    snapshot, judged = recording.snapshot, recording.judgement
    name = f"asyncconsole-{snapshot.pid}-{bare(snapshot.taken_at)}.dump.gz"
    kept = await keep(pieces, options.file, name)
    findings = len(judged.findings) if judged is not None else 0
    document = {
        "schema": "asyncconsole/dump/1",
        "file": kept.path,
        "bytes": kept.size,
        "taken_at": snapshot.taken_at,
        "tasks": len(snapshot.tasks),
        "resources": len(snapshot.resources),
        "findings": findings,
    }
    counts = (
        f"{phrases.plural(len(snapshot.tasks), 'task')}, "
        f"{phrases.plural(len(snapshot.resources), 'primitive')}, "
        f"{phrases.plural(findings, 'finding')}"
    )
    told = [
        line("Wrote ", (kept.path, "name"), f": {counts}; {kept.size:,} bytes."),
        line(f"On that machine `asyncconsole view {kept.path}` opens it."),
        *phrases.missing(judged.gaps if judged is not None else snapshot.gaps),
    ]
    return Result(document, (Text(tuple(told)),))


async def record(target: Target, *, deep: bool) -> Recording:
    """The program now, and the verdict on it.

    Args:
        target: The program.
        deep: Ask a frozen copy as well, as ``doctor`` does.
    """
    snapshot = await target.snapshot("all")
    judgement = None
    try:
        judged, diagnosis = await verdict(
            target, deep=deep, thorough=True, loops=deep, first=snapshot
        )
    except Exception as error:  # the rest is worth having all the same
        gap = Gap("what is wrong", f"{type(error).__name__}: {error}"[:300])
        snapshot = dataclasses.replace(snapshot, gaps=(*snapshot.gaps, gap))
    else:
        copy = judged.autopsy
        judgement = Judgement(
            diagnosis.taken_at,
            judged.total,
            diagnosis.findings,
            judged.gaps,
            None if copy is None else Autopsy(copy.pause, copy.took, gaps=copy.gaps),
        )
        snapshot = dataclasses.replace(snapshot, busy=judged.busy)
    return Recording(
        snapshot,
        judgement,
        target.probe(),
        target.track(),
        tuple(await target.debug()),
        target.slow_callbacks(),
        tuple(target.ended()),
    )


async def _pieces(found: Iterator[str]) -> AsyncIterator[str]:
    """Lines, some at a time; others have their turn in between."""
    piece: list[str] = []
    size = 0
    for text in found:
        piece.append(text)
        size += len(text)
        if size >= PIECE:
            yield "".join(piece)
            piece, size = [], 0
            await asyncio.sleep(0)
    yield "".join(piece)


COMMAND = Command(
    name="dump",
    summary="Write a snapshot into a file, for `asyncconsole view` and `diff`.",
    run=_run,
    configure=_configure,
    effect="write",
    asks=_asks,
    deadline=60.0,
    living=True,
    group="console",
    examples=("dump", "dump /tmp/hang.dump.gz", "dump -"),
)
