"""``asyncconsole top``: a live view of a program over the whole terminal."""

from __future__ import annotations

import argparse
import sys

from asyncconsole.client import connect, screen
from asyncconsole.model.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    connect.add_target(parser)
    parser.add_argument(
        "--every",
        type=connect.seconds,
        metavar="S",
        default=1.0,
        help="seconds from one look to the next (default %(default)g)",
    )


def top(options: argparse.Namespace) -> int:
    """Show it until the person has had enough; returns the exit code.

    Raises:
        ConsoleError: No terminal, no console, or one that ended meanwhile.
    """
    if not (sys.stdin.isatty() and screen.paints(sys.stdout)):
        msg = (
            "top needs a terminal that it can draw on. `asyncconsole connect -c 'watch 1 ps'` "
            "prints one answer after the other."
        )
        raise UsageError(msg)
    address = connect.find(options)
    return connect.interactive(
        address, connect.token(options), options.timeout, command=f"top {options.every:g}"
    )
