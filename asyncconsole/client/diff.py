"""``asyncconsole diff``: what has moved between two dumps of a program, and what has not."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime

from asyncconsole.client import dumps, screen
from asyncconsole.commands import changes
from asyncconsole.model.errors import ConsoleError, UsageError
from asyncconsole.model.snapshot import Snapshot

SAME_START = 5.0
"""Seconds by which the starts of one process may seem to differ: clocks are set."""


class OtherProcessError(ConsoleError):
    """The two dumps are not of one process."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("first", metavar="A", help="the earlier dump")
    parser.add_argument("second", metavar="B", help="the later one, of the same process")
    changes.configure(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def diff(options: argparse.Namespace) -> int:
    """Compare two dumps; returns the exit code.

    Raises:
        ConsoleError: see `asyncconsole.model.errors`.
    """
    changes.check("diff", options)
    before = dumps.load(options.first).snapshot
    after = dumps.load(options.second).snapshot
    began, ended = _moment(options.first, before), _moment(options.second, after)
    apart = abs((began - before.uptime) - (ended - after.uptime))
    if before.pid != after.pid or (apart > SAME_START and before.uptime and after.uptime):
        msg = (
            f"{options.first} is of {_which(before)} and {options.second} of {_which(after)}: "
            "only dumps of one process can be compared."
        )
        raise OtherProcessError(msg)
    if ended < began:
        msg = (
            f"diff: {options.second} was taken before {options.first}; give the earlier one first."
        )
        raise UsageError(msg)
    result = changes.between(before, after, round(ended - began, 3), options)
    from asyncconsole.render import show  # noqa: PLC0415 - with the first answer

    screen.write(
        show(
            result,
            json=options.json,
            width=screen.width(sys.stdout),
            colour=screen.colour(sys.stdout),
        )
    )
    return 0


def _which(seen: Snapshot) -> str:
    return f"pid {seen.pid} (up {seen.uptime:.0f} s at {seen.taken_at})"


def _moment(path: str, seen: Snapshot) -> float:
    """When a dump was taken, as a Unix time."""
    try:
        return datetime.fromisoformat(seen.taken_at.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        msg = f"{path}: it does not say when it was taken."
        raise dumps.DumpError(msg) from None
