"""``version``."""

from __future__ import annotations

import argparse
import dataclasses

from asyncconsole._version import __version__
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Result, Text, line
from asyncconsole.own import shipped


async def _run(target: Target, _options: argparse.Namespace) -> Result:
    snapshot = await target.snapshot("loops")
    document = {
        "schema": "asyncconsole/version/1",
        "version": __version__,
        "python": snapshot.python,
        "pid": snapshot.pid,
        "program": snapshot.program,
        "extensions": [dataclasses.asdict(extension) for extension in shipped.loaded],
        "gaps": [dataclasses.asdict(gap) for gap in shipped.gaps.values()],
    }
    where = f"{snapshot.program}, pid {snapshot.pid}, Python {snapshot.python}"
    text = f"asyncconsole {__version__} in {where}"
    lines = [line(text)]
    if shipped.loaded:
        names = sorted(f"{item.name} ({item.kind}, {item.source})" for item in shipped.loaded)
        lines.append(line(f"With {', '.join(names)}"))
    lines += [
        line(("Left out", "warn"), f" {gap.what}: {gap.why}") for gap in shipped.gaps.values()
    ]
    return Result(document, (Text(tuple(lines)),))


COMMAND = Command(
    name="version", summary="Version of the console and the program.", run=_run, group="console"
)
