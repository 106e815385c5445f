"""``diff``: what has not moved between two looks, and who has what it waits for."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import aclosing

from asyncconsole.commands import changes
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Result, UsageError

LONGEST = 300
SHORTEST = 0.05
_MARGIN = 0.5
"""Seconds that the two looks need at least."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "wait",
        nargs="?",
        type=float,
        default=5.0,
        metavar="S",
        help="seconds between the looks (default 5)",
    )
    changes.configure(parser)


async def _run(target: Target, options: argparse.Namespace) -> Result:
    _check(options)
    before: dict[int, int] = {}
    async with aclosing(target.stream()) as parts:  # type: ignore[type-var]  # it is a generator
        async for part in parts:
            before |= changes.tokens(part.tasks)
    await asyncio.sleep(options.wait)
    after = await target.snapshot("all")
    return changes.unmoved(before, after, options.wait, options)


def _check(options: argparse.Namespace) -> None:
    """Refuse times that can't be kept.

    Raises:
        UsageError: S or the limit is out of range, or the client won't wait that long.
    """
    if not SHORTEST <= options.wait <= LONGEST:
        msg = f"diff: S takes seconds from {SHORTEST} to {LONGEST}."
        raise UsageError(msg)
    changes.check("diff", options)
    within = getattr(options, "within", None)
    if within is not None and options.wait > within - _MARGIN:
        msg = (
            f"diff: {options.wait:g} s are more than the client waits ({within:.1f} s). "
            f"Try connect --timeout {options.wait + 10:g}."
        )
        raise UsageError(msg)


COMMAND = Command(
    name="diff",
    summary="Show what has not moved for S seconds, and who has what it waits for.",
    run=_run,
    configure=_configure,
    deadline=30.0,
    living=True,
    examples=("diff", "diff 2 --all"),
)
