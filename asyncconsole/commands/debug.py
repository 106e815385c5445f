"""``debug``: asyncio's debug mode of the loops, and when a callback counts as slow."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Column, Line, Result, Table, Text, UsageError, line
from asyncconsole.model.status import DebugStatus

_LOG = "asyncio"
"""The logger to which asyncio reports slow callbacks."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("switch", nargs="?", choices=("on", "off", "status"), default="status")
    parser.add_argument(
        "--slow", type=float, metavar="S", help="log callbacks that take longer than S"
    )
    parser.add_argument("--loop", type=int, metavar="N", help="only that loop")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    slow = options.slow
    if slow is not None and not 0.0001 <= slow <= 3600:  # noqa: PLR2004 - see the message
        msg = "debug: --slow takes seconds from 0.0001 to 3600."
        raise UsageError(msg)
    on = {"on": True, "off": False}.get(options.switch)
    found = await target.debug(on=on, slow=slow, loop=options.loop)
    document = {
        "schema": "asyncconsole/debug/1",
        "loops": [
            {
                "loop": one.loop,
                "type": one.type,
                "debug": one.debug,
                "slow": one.slow,
                "was": {"debug": one.was, "slow": one.was_slow},
                "pending": one.pending,
                "why": one.why or None,
            }
            for one in found
        ],
    }
    failed = any(one.why and not one.pending for one in found)
    if not found:
        text = line(("No event loop was found in this process", "warn"), ".")
        return Result(document, (Text((text,)),))
    notes = _notes(found, on, changes=not _asks(options))
    return Result(document, (_table(found), Text(tuple(notes))), exit_code=int(failed))


def _table(found: Sequence[DebugStatus]) -> Table:
    columns = (
        Column("LOOP", "right"),
        Column("DEBUG"),
        Column("SLOW", "right"),
        Column("WAS"),
        Column("TYPE", spare=True),
    )
    rows = []
    for one in found:
        state = "asked for" if one.pending else _word(one.debug)
        changed = (one.was, one.was_slow) != (one.debug, one.slow)
        was = f"{_word(one.was)}, {_seconds(one.was_slow)}" if changed else ""
        rows.append(
            (
                (line((str(one.loop), "id")),),
                (line((state, "warn" if one.pending or one.debug else "")),),
                (line(_seconds(one.slow)),),
                (line(was),),
                (line(one.type),),
            )
        )
    return Table(columns, tuple(rows))


def _notes(found: Sequence[DebugStatus], on: bool | None, *, changes: bool) -> list[Line]:
    """What takes effect when, and what it costs."""
    notes = [
        line((f"Loop {one.loop}: not in effect yet: {one.why}; the request stays.", "warn"))
        if one.pending
        else line((f"Loop {one.loop}: {one.why}", "bad"))
        for one in found
        if one.why
    ]
    if on is False:
        notes.append(line("In effect from the next callback on; what was made stays as it is."))
    elif on:
        notes += [
            line(
                f"Callbacks that take longer are logged to the logger `{_LOG}`. Calls that asyncio "
                "lets pass otherwise raise: call_soon from another thread, a blocking socket."
            ),
            line(
                "The program pays: every callback is timed, every new task, future and timer keeps "
                "the stack that made it (a task takes 10 to 30 times as long to make). `debug off` "
                "ends that; so does the console's own end."
            ),
        ]
        if any(one.type.startswith("uvloop.") for one in found):
            text = "uvloop: a TLS handshake that was under way at this moment fails at its end."
            notes.append(line((text, "warn")))
    if changes and any(one.debug or one.pending for one in found):
        if not logging.getLogger(_LOG).isEnabledFor(logging.WARNING):
            text = f"The logger `{_LOG}` drops warnings: slow callbacks will not be seen."
            notes.append(line((text, "warn")))
    elif changes and on is None:
        notes.append(line("Nothing is logged while debug mode is off: `debug on`."))
    return notes


def _word(debug: bool) -> str:
    return "on" if debug else "off"


def _seconds(slow: float | None) -> str:
    return "?" if slow is None else f"{slow:g} s"


def _asks(options: argparse.Namespace) -> bool:
    """True where nothing is changed."""
    return bool(options.switch == "status" and options.slow is None)


COMMAND = Command(
    name="debug",
    summary="Turn asyncio's debug mode on or off, set when a callback is slow.",
    run=_run,
    configure=_configure,
    effect="write",
    asks=_asks,
    group="console",
    examples=("debug", "debug on --slow 0.05", "debug off --loop 2"),
)
