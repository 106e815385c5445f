"""``track``: what is recorded of new tasks and of locks."""

from __future__ import annotations

import argparse

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Line, Result, Text, UsageError, line
from asyncconsole.model.status import TrackStatus

_MOST = 50


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=("tasks", "locks", "all", "on", "off", "status"))
    parser.add_argument("switch", nargs="?", choices=("on", "off", "status"))
    parser.add_argument(
        "--frames", type=int, metavar="N", help="frames of each task's creation chain"
    )


async def _run(target: Target, options: argparse.Namespace) -> Result:
    what, switch = options.what or "status", options.switch or "status"
    if what in {"on", "off", "status"}:
        if options.switch is not None:
            msg = "track: say what first: `track tasks on`, `track locks off`."
            raise UsageError(msg)
        what, switch = "all", what
    if options.frames is not None and not 1 <= options.frames <= _MOST:
        msg = f"track: --frames takes a number from 1 to {_MOST}."
        raise UsageError(msg)
    tasks: bool | int | None = None
    locks: bool | None = None
    if switch != "status":
        on = switch == "on"
        if what in {"tasks", "all"}:
            tasks = (options.frames or True) if on else False
        if what in {"locks", "all"}:
            locks = on
    status = target.track(tasks=tasks, locks=locks)
    document = {
        "schema": "asyncconsole/track/1",
        "tasks": status.tasks,
        "frames": status.frames,
        "locks": status.locks,
        "ended": status.ended,
        "dropped": status.dropped,
        "broken": status.broken or None,
        "orders": status.orders,
        "orders_dropped": status.unordered,
    }
    return Result(document, (Text(tuple(_told(status))),))


def _asks(options: argparse.Namespace) -> bool:
    """True for ``track``, ``track status``, ``track tasks``, ``track locks status``."""
    return not {"on", "off"} & {options.what, options.switch}


def _told(status: TrackStatus) -> list[Line]:
    if status.tasks:
        frames = phrases.plural(status.frames, "frame")
        ended = phrases.plural(status.ended, "ended task")
        dropped = f", {status.dropped} dropped" if status.dropped else ""
        told = [line(f"Tasks are tracked: {frames} of each creation; {ended} kept{dropped}.")]
    else:
        told = [line("Tasks are not tracked.")]
    if status.broken:
        told.append(line((f"It switched itself off: {status.broken}", "warn")))
    if status.locks:
        orders = phrases.plural(status.orders, "order")
        dropped = f", {status.unordered} dropped" if status.unordered else ""
        told.append(
            line(
                "Locks are tracked: owners since tracking began are exact; "
                f"{orders} of nested locks kept{dropped}."
            )
        )
    else:
        told.append(line("Locks are not tracked: holders are read from stacks."))
    return told


COMMAND = Command(
    name="track",
    summary="Record who creates tasks, how they end, and who takes locks.",
    run=_run,
    configure=_configure,
    effect="write",
    asks=_asks,
    group="console",
    examples=("track", "track tasks on --frames 10", "track locks on", "track off"),
)
