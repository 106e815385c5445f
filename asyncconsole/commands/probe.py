"""``probe``: the stall probe's switch and threshold, and the timing of callbacks."""

from __future__ import annotations

import argparse

from asyncconsole.commands import phrases
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Line, Result, Text, UsageError, line
from asyncconsole.model.status import ProbeStatus


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("switch", nargs="?", choices=("on", "off", "status"), default="status")
    parser.add_argument("--threshold", type=float, metavar="S", help="report stalls longer than S")
    parser.add_argument(
        "--polls",
        action="store_true",
        default=None,
        help="time every callback, for `stalls --top` and `where`; begins anew",
    )
    parser.add_argument("--no-polls", action="store_false", dest="polls", help="time no callback")
    parser.add_argument("--slow", type=float, metavar="S", help="callbacks from S on are slow")


def _asks(options: argparse.Namespace) -> bool:
    """Timing callbacks patches asyncio; everything else leaves the program alone."""
    return options.polls is None and options.slow is None


async def _run(target: Target, options: argparse.Namespace) -> Result:
    threshold = options.threshold
    if threshold is not None and not 0.01 <= threshold <= 3600:  # noqa: PLR2004 - see the message
        msg = "probe: --threshold takes seconds from 0.01 to 3600."
        raise UsageError(msg)
    polls = _polls(target, options)
    on = {"on": True, "off": False}.get(options.switch)
    status = target.probe(on=on, threshold=threshold, polls=polls, slow=options.slow)
    account = target.slow_callbacks()
    document = {
        "schema": "asyncconsole/probe/1",
        "on": status.on,
        "threshold": status.threshold,
        "interval": status.interval,
        "polls": status.polls,
        "slow": status.slow,
        "loops_not_timed": list(account.unmeasured),
        "broken": account.broken or None,
    }
    if not status.on:
        return Result(document, (Text((line("The stall probe is off."),)),))
    text = (
        f"The stall probe is on: reports a loop blocked for more than {status.threshold:g} s, "
        f"looks every {status.interval:g} s."
    )
    return Result(
        document, (Text((line(text), *_told(status, account.unmeasured, account.broken))),)
    )


def _polls(target: Target, options: argparse.Namespace) -> bool | None:
    """Whether callbacks are to be timed."""
    polls: bool | None = options.polls
    slow = options.slow
    if slow is not None:
        if not 0.0001 <= slow <= 3600:  # noqa: PLR2004 - see the message
            msg = "probe: --slow takes seconds from 0.0001 to 3600."
            raise UsageError(msg)
        if polls is False:
            msg = (
                "probe: --slow says which callbacks are slow while they are timed: not --no-polls."
            )
            raise UsageError(msg)
        polls = True
    if polls and (options.switch == "off" or (options.switch != "on" and not target.probe().on)):
        msg = "probe: only a probe that is on times callbacks: `probe on --polls`."
        raise UsageError(msg)
    return polls


def _told(status: ProbeStatus, unmeasured: tuple[int, ...], broken: str) -> list[Line]:
    """What is timed."""
    if broken:
        return [line((f"Timing callbacks failed and is off: {broken}", "warn"))]
    if not status.polls:
        return [line(("Callbacks are not timed; `probe on --polls` does.", "dim"))]
    slow = phrases.brief(status.slow)
    told = [line(f"Every callback is timed; one of {slow} or more is slow: `stalls --top`.")]
    if unmeasured:
        told.append(not_timed(unmeasured))
    return told


def not_timed(loops: tuple[int, ...]) -> Line:
    """Whose callbacks can't be timed."""
    which = ", ".join(map(str, loops))
    whose = f"loop {which} are" if len(loops) == 1 else f"loops {which} are"
    return line((f"Callbacks of {whose} not timed: uvloop runs them in C.", "warn"))


COMMAND = Command(
    name="probe",
    summary="Turn the stall probe on or off, set its threshold; time callbacks.",
    run=_run,
    configure=_configure,
    effect="write",
    asks=_asks,
    group="console",
    examples=("probe", "probe on --threshold 0.1", "probe on --polls --slow 0.005"),
)
