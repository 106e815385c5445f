"""``asyncconsole view``: the console's commands on a dump file."""

from __future__ import annotations

import argparse
import sys

from asyncconsole.client import connect, dumps, screen
from asyncconsole.client.wire import Manner
from asyncconsole.model.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", metavar="FILE", help="what `dump` has written; - for stdin")
    connect.add_commands(parser)


def view(options: argparse.Namespace) -> int:
    """Hold a session on a dump, or run commands on it; returns the exit code.

    Raises:
        ConsoleError: see `asyncconsole.model.errors`.
    """
    person = connect.person(options)
    if options.file == dumps.STREAM and not options.commands:
        msg = "view: what is read from stdin wants a command: -c COMMAND."
        raise UsageError(msg)
    recording = dumps.load(options.file)
    if person:
        manner = connect.personal(interactive=True)
    else:
        manner = Manner(width=screen.width(sys.stdout), colour=screen.colour(sys.stdout))
    with dumps.console(recording, manner, options.file) as wire:
        if person:
            from asyncconsole.client import dialogue  # noqa: PLC0415 - needs prompt_toolkit

            return dialogue.hold(wire)
        options.timeout = None  # the command's own deadline is enough
        return connect.run_all(wire, options)
