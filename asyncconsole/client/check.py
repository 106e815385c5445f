"""``asyncconsole check``: is that program healthy? For liveness probes."""

from __future__ import annotations

import argparse
import time
from typing import Any

from asyncconsole.client import ask, connect, consoles, screen
from asyncconsole.client.outside.onlooker import Onlooker
from asyncconsole.client.outside.sight import Sight
from asyncconsole.client.wire import Manner, open_wire
from asyncconsole.model.errors import ConsoleError

Document = dict[str, Any]


class FrozenError(ConsoleError):
    """The program can't answer, and that is proven to be its own doing."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    connect.add_target(parser)
    parser.add_argument(
        "--max-lag",
        type=connect.seconds,
        metavar="S",
        help="an event loop may be late by this much (default: by the console's stall threshold)",
    )


def check(options: argparse.Namespace) -> int:
    """Say in one line how the program is; returns 0 when healthy, 1 when not.

    Raises:
        TargetMissingError: It can't be reached.
        DeadlineError: It doesn't answer in time; ``--timeout`` bounds all of it.
    """
    try:
        ill, words = _ask(options)
    except FrozenError as frozen:
        ill, words = True, str(frozen)
    screen.write(f"{words}\n")
    return 1 if ill else 0


def _ask(options: argparse.Namespace) -> tuple[bool, str]:
    """Whether something is wrong, and the line to say."""
    end = time.monotonic() + options.timeout
    address = connect.find(options)

    def seen(sight: Sight, _left: float | None) -> None:
        if sight.proven and sight.seconds >= (options.max_lag or 0.0):
            raise FrozenError(f"{consoles.who(address)}: stall: {sight.told.rstrip('.')}")

    onlooker = Onlooker(address, tell=seen)
    manner = Manner(token=connect.token(options))
    with open_wire(address, manner, options.timeout, onlooker) as wire:

        def document(command: str) -> Document:
            return ask.document(wire, command, max(0.05, end - time.monotonic()))

        loops = document("loops")
        stalls = document("stalls")
        diagnosis = document("doctor --quick")  # without a copy of the program: probes come often
        ill = stalled(loops, stalls, diagnosis, options.max_lag) or deadlocked(diagnosis)
        who = f"{wire.hello.program} (pid {wire.hello.pid})"
    return bool(ill), f"{who}: {ill or healthy(loops)}"


def stalled(loops: Document, stalls: Document, diagnosis: Document, max_lag: float | None) -> str:
    """The stall that goes on, in words; "" without one.

    With ``max_lag`` shorter stalls are forgiven.
    """
    for stall in stalls.get("stalls") or ():
        if stall.get("ongoing") and stall.get("duration", 0.0) > (max_lag or 0.0):
            told = _finding(diagnosis, stall.get("id"))
            return f"stall: {told}" if told else f"stall: loop {stall.get('loop')} {_stall(stall)}"
    for loop in loops.get("loops") or ():
        blocked, lag = loop.get("blocked") or 0.0, loop.get("lag") or 0.0
        if blocked > (max_lag or 0.0):
            return f"stall: loop {loop.get('id')} blocked for {blocked:.1f} s"
        if max_lag is not None and lag > max_lag:
            return f"stall: loop {loop.get('id')} is late by {lag:.3f} s, more than {max_lag:g} s"
    return ""


def _finding(diagnosis: Document, stall: int | None) -> str:
    """What the verdict says of a stall, if it knows it."""
    for finding in diagnosis.get("findings") or ():
        if finding.get("verdict") == "stall" and stall in (finding.get("stall_ids") or ()):
            return str(finding.get("summary"))
    return ""


def _stall(stall: Document) -> str:
    words = f"blocked for {stall.get('duration', 0.0):.1f} s"
    frame = stall.get("frame")
    if isinstance(frame, dict):
        file = str(frame.get("file")).replace("\\", "/").rpartition("/")[2]
        words += f" at {file}:{frame.get('line')} {frame.get('function')}"
    return words


def deadlocked(diagnosis: Document) -> str:
    """The first deadlock, in words; "" without one."""
    found = [f for f in diagnosis.get("findings") or () if f.get("verdict") == "deadlock"]
    if not found:
        return ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"deadlock: {found[0].get('summary')}{more}"


def healthy(loops: Document) -> str:
    """What there is, when nothing is wrong."""
    each = loops.get("loops") or ()
    tasks = sum(loop.get("tasks") or 0 for loop in each)
    late = max((loop.get("lag") or 0.0 for loop in each), default=0.0)
    counted = f"{_count(len(each), 'loop')}, {_count(tasks, 'task')}"
    return f"healthy: {counted}, lag {late * 1000:.1f} ms"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
