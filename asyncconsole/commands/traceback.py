"""``traceback``: all of what a program's own command raised."""

from __future__ import annotations

import argparse

from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import ConsoleError, Result, Text, line
from asyncconsole.own import call


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "command", nargs="?", metavar="COMMAND", help="whose (default: the one that raised last)"
    )


async def _run(_target: Target, options: argparse.Namespace) -> Result:
    found = call.last_trace(options.command)
    if found is None:
        whose = f"`{options.command[:60]}`" if options.command else "No command of the program"
        msg = f"{whose} has {'not ' if options.command else ''}raised anything."
        raise ConsoleError(msg)
    name, text = found
    document = {"schema": "asyncconsole/traceback/1", "command": name, "traceback": text}
    return Result(document, (Text(tuple(line(part) for part in text.splitlines())),))


COMMAND = Command(
    name="traceback",
    summary="The traceback of what a program's own command raised.",
    run=_run,
    configure=_configure,
    living=True,
    group="console",
    examples=("traceback", "traceback reload"),
)
