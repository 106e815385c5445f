"""``signal``: sends a signal to the program itself."""

from __future__ import annotations

import argparse
import signal

from asyncconsole.commands.command import Command, OptionParser, Plan, nearest
from asyncconsole.commands.port import ReplTarget
from asyncconsole.model import Result, Text, UsageError, line


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="SIGNAL", help="SIGTERM, term or 15")
    if isinstance(parser, OptionParser):
        long = _names()
        parser.offers["name"] = (*long, *(name.removeprefix("SIG") for name in long))


def _names() -> list[str]:
    return sorted(signal.Signals.__members__)


def number(word: str) -> int:
    """The signal that a word means.

    Raises:
        UsageError: There is none; with the nearest name.
    """
    text = word.strip().upper()
    if text.isdecimal():
        if int(text) in signal.valid_signals():
            return int(text)
        msg = f"signal: there is no signal {text[:20]} here. `signal TERM` sends SIGTERM."
        raise UsageError(msg)
    name = text if text.startswith("SIG") else f"SIG{text}"
    found = signal.Signals.__members__.get(name)
    if found is None:
        guess = nearest(name, _names())
        hint = f"Did you mean `{guess}`?" if guess else "`signal TERM` sends SIGTERM."
        msg = f"signal: no signal `{word[:60]}`. {hint}"
        raise UsageError(msg)
    return int(found)


def name_of(sent: int) -> str:
    """``SIGTERM`` for 15."""
    try:
        return signal.Signals(sent).name
    except ValueError:  # a real-time signal without a name
        return f"signal {sent}"


async def _plan(target: ReplTarget, options: argparse.Namespace) -> Plan:
    sent = number(options.name)
    reaction = target.reaction(sent)
    words = f"{name_of(sent)} {reaction.words}."
    lines = [line(words)]
    blocked = [stall for stall in target.stalls() if stall.ongoing]
    if reaction.python and blocked:
        longest = max(stall.duration for stall in blocked)
        lines.append(
            line(
                f"A loop has been blocked for {longest:.1f} s: if that is the main thread's, "
                "this happens once it is back in Python code."
            )
        )
    return Plan(tuple(lines), (sent, reaction))


async def _run(target: ReplTarget, options: argparse.Namespace) -> Result:
    sent, reaction = options.plan.facts
    pid = target.send_signal(sent, soon=not reaction.ends)
    words = f"{name_of(sent)} {'goes' if reaction.ends else 'was sent'} to process {pid}"
    document = {
        "schema": "asyncconsole/signal/1",
        "signal": name_of(sent),
        "number": sent,
        "pid": pid,
        "reaction": reaction.words,
    }
    lines = () if options.asked else options.plan.lines
    return Result(document, (Text((*lines, line(f"{words}."))),))


COMMAND = Command(
    name="signal",
    summary="Send a signal to the program itself.",
    run=_run,
    configure=_configure,
    effect="write",
    plan=_plan,
    group="act",
    examples=("signal USR1", "signal SIGTERM --yes"),
)
