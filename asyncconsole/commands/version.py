"""``version``."""

from __future__ import annotations

import argparse

from asyncconsole._version import __version__
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Result, Text, line


async def _run(target: Target, _options: argparse.Namespace) -> Result:
    snapshot = await target.snapshot("loops")
    document = {
        "schema": "asyncconsole/version/1",
        "version": __version__,
        "python": snapshot.python,
        "pid": snapshot.pid,
        "program": snapshot.program,
    }
    where = f"{snapshot.program}, pid {snapshot.pid}, Python {snapshot.python}"
    text = f"asyncconsole {__version__} in {where}"
    return Result(document, (Text((line(text),)),))


COMMAND = Command(
    name="version", summary="Version of the console and the program.", run=_run, group="console"
)
