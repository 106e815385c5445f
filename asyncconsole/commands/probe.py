"""``probe``: the stall probe's switch and threshold."""

from __future__ import annotations

import argparse

from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Result, Text, UsageError, line


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("switch", nargs="?", choices=("on", "off", "status"), default="status")
    parser.add_argument("--threshold", type=float, metavar="S", help="report stalls longer than S")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    threshold = options.threshold
    if threshold is not None and not 0.01 <= threshold <= 3600:  # noqa: PLR2004 - see the message
        msg = "probe: --threshold takes seconds from 0.01 to 3600."
        raise UsageError(msg)
    on = {"on": True, "off": False}.get(options.switch)
    status = target.probe(on=on, threshold=threshold)
    document = {
        "schema": "asyncconsole/probe/1",
        "on": status.on,
        "threshold": status.threshold,
        "interval": status.interval,
    }
    if status.on:
        text = (
            f"The stall probe is on: reports a loop blocked for more than {status.threshold:g} s, "
            f"looks every {status.interval:g} s."
        )
    else:
        text = "The stall probe is off."
    return Result(document, (Text((line(text),)),))


COMMAND = Command(
    name="probe",
    summary="Turn the stall probe on or off, set its threshold.",
    run=_run,
    configure=_configure,
    group="console",
    examples=("probe", "probe on --threshold 0.1"),
)
