"""Looks at a program while a client waits for its answer."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from asyncconsole.client import consoles
from asyncconsole.client.outside import reading, spy
from asyncconsole.client.outside.sight import Sight, console_of, judge, may_ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncconsole.client.address import Address
    from asyncconsole.client.outside.reading import Reading

PATIENCE = 1.0
"""Seconds of silence that mean nothing."""

ENOUGH = 0.2
"""Seconds between two readings that tell something."""

RESERVE = 1.0
"""Seconds before the time is up when it looks all the same."""

GLANCES, APART = 12, 0.007
"""Looks at where the console's thread waits, and the seconds between: no multiple of 5 ms."""

MOVES = "its threads give each other the GIL, and its console is busy, stuck, or short of CPU"

AGAIN = 5.0
"""Seconds until the line is asked for again where it could not be told."""

LONGEST = 5.0
"""Seconds to name the line, at most."""


class Onlooker:
    """What one client sees of a program that keeps it waiting.

    Args:
        address: Where the program's console is.
        patience: Seconds of silence after which to look.
        tell: Takes what is seen, and the seconds left as of `silent`; may raise to end the wait.
        lines: Ask py-spy for the line.
    """

    def __init__(
        self,
        address: Address,
        patience: float = PATIENCE,
        tell: Callable[[Sight, float | None], None] | None = None,
        *,
        lines: bool = True,
    ) -> None:
        self._address = address
        self._patience = patience
        self._tell = tell
        self._lines = lines
        self._pid: int | None = None
        self._sought = False
        self._first: Reading | None = None
        self._asking: Reading | None = None
        self._sight: Sight | None = None
        self._tried = 0.0

    @property
    def pid(self) -> int | None:
        """The process behind the address; None when nobody knows, or nothing can be seen."""
        if not self._sought:
            self._sought = True
            self._pid = consoles.process(self._address) if reading.possible() else None
        return self._pid

    def heard(self) -> None:
        """It has answered: what was seen is of the past."""
        self._first = self._asking = self._sight = None

    def silent(self, seconds: float, left: float | None) -> None:
        """It has said nothing for that long.

        Args:
            seconds: Since it was last heard, or asked.
            left: Seconds until the client gives up; None for never.
        """
        if self.pid is None:
            return
        now = reading.read(self.pid)
        if self._first is None:
            self._first = self._asking = now
            return
        if now is not None and _elsewhere(now):
            self._asking = now  # whatever holds the GIL now has not held it before
        if seconds < self._patience and (left is None or left > RESERVE):
            return
        sight = self.look(left)
        if sight is not None and self._tell is not None:
            self._tell(sight, left)

    def look(self, left: float | None = None) -> Sight | None:
        """What it does; None when too little was seen.

        Args:
            left: Seconds there are to name the line.
        """
        first, pid = self._first, self.pid
        if first is None or pid is None or time.monotonic() - first.time < ENOUGH:
            return self._sight
        after = reading.read(pid)
        sight = judge(first, after)
        if sight.kind == "gil_held" and after is not None:
            first = self._asking or first
            sight = judge(first, after)
            asks = _keeps_asking(after)
            if after.time - first.time < ENOUGH or asks is False:
                sight = replace(sight, kind="unclear", words=MOVES)
            elif asks is None:
                sight = replace(sight, sure=False)
        if not sight.plain and after is not None:
            self._first = self._asking = after  # what comes now may be something else
        known = self._sight
        if known is not None and (known.kind, known.thread) == (sight.kind, sight.thread):
            sight = replace(sight, spot=known.spot, note=known.note)
        if self._wanted(sight):
            sight = _with_line(sight, first, LONGEST if left is None else min(LONGEST, left))
            self._tried = time.monotonic()
        self._sight = sight
        return sight

    def _wanted(self, sight: Sight) -> bool:
        """Whether to ask for the line (again)."""
        if not self._lines or sight.spot is not None:
            return False
        again = self._sight is None or time.monotonic() - self._tried > AGAIN
        return again and sight.kind == "gil_held"

    def why(self) -> str:
        """Why there is no answer, for a message; "" when nothing is known."""
        sight = self.look(0.0)
        if sight is None:
            return ""
        return sight.told if self._address.pid else f"(pid {self.pid}) {sight.told}"


def _elsewhere(now: Reading) -> bool:
    """True when the console's thread does not wait for the GIL."""
    console = console_of(now)
    return console is not None and not may_ask(now.threads[console])


def _keeps_asking(now: Reading) -> bool | None:
    """Whether the console's thread waits for the GIL whenever it is looked at.

    None when the kernel doesn't tell where it waits.
    """
    console = console_of(now)
    places = set()
    for _ in range(GLANCES if console is not None else 0):
        time.sleep(APART)
        places.add(reading.place(now.pid, console or 0))
    places.discard("")  # at work, or not told
    return all("futex" in place for place in places) if places else None


def _with_line(sight: Sight, first: Reading, seconds: float) -> Sight:
    """The same, with the line of Python or why there is none.

    The line is right where the same thread has kept the GIL since before it was read: no frame of
    Python has moved meanwhile.
    """
    try:
        spot = spy.spot(first.pid, sight.thread, seconds)
    except spy.SpyError as error:
        return replace(sight, note=f"{error}.")
    now = judge(first, reading.read(first.pid))
    same = (now.kind, now.thread) == (sight.kind, sight.thread)
    return replace(now, spot=spot, sure=sight.sure) if same else sight
