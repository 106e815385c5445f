"""``asyncconsole guard``: watches a program from another process, and says when it freezes."""

from __future__ import annotations

import argparse
import shlex
import time
from dataclasses import asdict, replace
from typing import Any

from asyncconsole.client import ask, connect, consoles, screen
from asyncconsole.client.outside import reading
from asyncconsole.client.outside.events import Events
from asyncconsole.client.outside.onlooker import Onlooker
from asyncconsole.client.outside.sight import Sight, Spot
from asyncconsole.client.wire import Manner, Wire, open_wire
from asyncconsole.model.errors import TargetMissingError, UsageError
from asyncconsole.model.instant import stamp
from asyncconsole.serve.discovery import Record

EVERY = 1.0  # seconds
MAX_LAG = 1.0  # seconds

ASKED = "stalls 16"
"""Answered from a short list: next to no work for the program."""

UNCLEAR = 3
"""Times the lag that is allowed, after which silence counts also where nobody knows the reason."""

SETTLING, SETTLED = 0.3, 5
"""Seconds after a freeze until its console is asked what it makes of it, and how often."""

ENDING = 3.0
"""Seconds in which a program that has closed its console may end: most close it for that."""

Stall = dict[str, Any]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    connect.add_target(parser, timed=False)
    parser.add_argument(
        "--max-lag",
        type=connect.seconds,
        metavar="S",
        default=MAX_LAG,
        help="tell of a program that is silent, or a loop that is blocked, for longer "
        "(default %(default)g)",
    )
    parser.add_argument(
        "--every",
        type=connect.seconds,
        metavar="S",
        default=EVERY,
        help="seconds between two questions (default %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="events as JSON, one on a line")
    parser.add_argument(
        "--exec",
        dest="command",
        metavar="CMD",
        help="start this at each event, which it gets as JSON on stdin",
    )


def guard(options: argparse.Namespace) -> int:
    """Watch until the program ends; returns 0.

    Raises:
        TargetMissingError: There is no such console, or its process is not of this machine.
        UsageError: ``--exec`` is no command.
    """
    try:
        command = shlex.split(options.command or "")
    except ValueError as error:
        msg = f"guard: --exec {options.command}: {error}."
        raise UsageError(msg) from None
    address = connect.find(options)
    record = consoles.record_of(address)
    if record is None or not reading.possible():
        msg = (
            f"guard: {address.what} is no console of this user on this machine (Linux), and "
            "guard looks at the process. `asyncconsole ls` lists consoles."
        )
        raise TargetMissingError(msg)
    events = Events(consoles.program(record), record.pid, command, options.json)
    watch = Guard(events, options.max_lag, options.every)
    onlooker = Onlooker(consoles.address_of(record), options.max_lag, watch.seen)
    manner = Manner(token=connect.token(options))
    met = lost = False
    while True:
        try:
            with open_wire(address, manner, None, onlooker) as wire:
                if not met or lost:
                    screen.complain(f"watching {events.program} (pid {record.pid}).")
                met, lost = True, False
                watch.hold(wire)
        except TargetMissingError:
            if not met and not watch.frozen:
                raise
        if _ends(record, options.every if lost else ENDING):
            events.close()
            return 0
        if not lost:
            lost = True
            screen.complain(f"{address.what} has closed its console; waiting for it, or its end.")


def _ends(record: Record, seconds: float) -> bool:
    """Wait for the end of a process."""
    until = time.monotonic() + seconds
    while not (gone := consoles.ended(record)) and time.monotonic() < until:
        time.sleep(min(0.1, seconds))
    return gone


class Guard:
    """What is known of the program.

    Args:
        events: Where to tell it.
        max_lag: Seconds of silence, or of a blocked loop, that are nobody's business.
        every: Seconds between two questions.
    """

    def __init__(self, events: Events, max_lag: float, every: float) -> None:
        self._events = events
        self._max_lag = max_lag
        self._every = every
        self._asked = time.monotonic()
        self._frozen: Sight | None = None
        self._known: dict[int, bool] | None = None

    @property
    def frozen(self) -> bool:
        """True while the program is silent."""
        return self._frozen is not None

    def hold(self, wire: Wire) -> None:
        """Ask again and again.

        Raises:
            GoneError: The console is gone, or its program.
        """
        while True:
            stalls = self._ask(wire)
            if self._frozen is not None:
                stalls = self._thawed(wire, self._frozen, stalls)
            self._news(stalls)
            wire.idle(self._every)

    def seen(self, sight: Sight, _left: float | None) -> None:
        """The program is silent, and that is what it does."""
        silent = time.monotonic() - self._asked
        if sight.kind in {"gone", "console_busy"} or not (
            sight.plain or silent >= self._max_lag * UNCLEAR
        ):
            return
        clearer = self._frozen is None or (sight.plain and not self._frozen.plain)
        if clearer:
            longer = replace(sight, seconds=max(silent, sight.seconds))
            self._events.tell(
                "freeze",
                f"is frozen: {longer.told}",
                kind=sight.kind,
                seconds=silent,
                frame=_frame(sight),
            )
        if clearer or sight.plain:
            self._frozen = sight  # not what it does once it goes on, before it has answered

    def _ask(self, wire: Wire) -> list[Stall]:
        if self._frozen is None:
            self._asked = time.monotonic()
        stalls: list[Stall] = ask.document(wire, ASKED, None).get("stalls") or []
        return stalls

    def _thawed(self, wire: Wire, sight: Sight, stalls: list[Stall]) -> list[Stall]:
        """Say how long it took, and whom the console blames now that it can."""
        seconds = time.monotonic() - self._asked
        since = stamp(time.time() - seconds - self._every - self._max_lag)
        blamed = None
        for _ in range(SETTLED if sight.kind in {"gil_held", "gil_crowded"} else 0):
            blamed = _blamed(stalls, since)
            if blamed is not None:
                break
            wire.idle(SETTLING)
            stalls = self._ask(wire)
        self._frozen = None
        words = f"answers again after {seconds:.1f} s"
        frame = _frame(sight)
        if blamed is not None:
            self._known = {**(self._known or {}), blamed["id"]: False}
            frame = blamed["frame"] or frame
            words += f"; its console says: {_culprit(blamed)}"
        self._events.tell(
            "freeze_end",
            words,
            kind=sight.kind,
            seconds=seconds,
            frame=frame,
            task=None if blamed is None else blamed.get("task_name") or None,
        )
        return stalls

    def _news(self, stalls: list[Stall]) -> None:
        """Tell of loops that are blocked while the console answers."""
        before, known = self._known, {}
        for stall in stalls:
            number, ongoing = stall["id"], stall["ongoing"]
            told = (before or {}).get(number)  # True: its start, False: its end
            if before is None and not ongoing:
                told = False  # of a time before this guard
            elif stall["duration"] > self._max_lag and told is None:
                self._stall("stall" if ongoing else "stall_end", stall)
                told = ongoing
            elif told and not ongoing:
                self._stall("stall_end", stall)
                told = False
            if told is not None:
                known[number] = told
        self._known = known

    def _stall(self, event: str, stall: Stall) -> None:
        how = "is" if stall["ongoing"] else "was"
        self._events.tell(
            event,
            f"loop {stall['loop']} {how} blocked: {_culprit(stall)}",
            kind=stall["kind"],
            seconds=stall["duration"],
            frame=stall["frame"],
            task=stall.get("task_name") or None,
        )


def _blamed(stalls: list[Stall], since: str) -> Stall | None:
    """The stall that the console has made of a freeze that began after ``since``."""
    found = [
        one
        for one in stalls
        if one["kind"] == "gil_holding_c_call" and one["started_at"] >= since and one["frame"]
    ]
    return max(found, key=lambda one: float(one["duration"]), default=None)


def _culprit(stall: Stall) -> str:
    """``GIL held in C for 7.1 s at chat.py:30 in tokenize → HARD.match, task chat:7``."""
    held = stall["kind"] == "gil_holding_c_call"
    kind = "GIL held in C" if held else stall["kind"].replace("_", " ")
    words = f"{kind} for {stall['duration']:.1f} s"
    frame = stall["frame"]
    if frame is not None:
        words += f" at {Spot(frame['file'], frame['line'], frame['function'])}"
    if stall.get("call"):
        words += f" → {stall['call']}"
    return words + (f", task {stall['task_name']}" if stall.get("task_name") else "")


def _frame(sight: Sight) -> dict[str, Any] | None:
    return None if sight.spot is None else asdict(sight.spot)
