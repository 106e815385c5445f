"""Stalls in the program's log, on ``asyncconsole.stalls``, with the stack and not too often."""

from __future__ import annotations

import linecache
import logging
import time
from typing import NamedTuple

from asyncconsole.model import Frame, Stall
from asyncconsole.model.stall import turn

LOG = logging.getLogger("asyncconsole.stalls")

REST = 10.0
"""Seconds after a stall is logged in which others with the same culprit are only counted."""

CULPRITS = 256
"""Culprits that are remembered; of more, the one logged longest ago is forgotten."""


class _Said(NamedTuple):
    """When a culprit was last logged (monotonic), and how many of its stalls were not since."""

    when: float
    withheld: int


class StallLog:
    """Receives stalls and logs them; from a `Courier`, as a handler of the program's may block.

    The first record of a stall comes while it lasts, the last once it is over. One that lasts
    for `REST` or longer (see `Alarm`) is logged in any case. ``record.stall`` is the stall as
    plain data.
    """

    def __init__(self) -> None:
        self._said: dict[tuple[str, int] | None, _Said] = {}
        self._open: set[int] = set()

    def __call__(self, stall: Stall) -> None:
        """Log it, unless its culprit has just been logged."""
        if stall.id in self._open and not stall.ongoing:
            self._open.discard(stall.id)
            LOG.warning("%s", stall.summary, extra={"stall": stall})
            return
        withheld = self._admit(stall)
        if withheld is None or not LOG.isEnabledFor(logging.WARNING):
            return
        if stall.ongoing:
            self._open.add(stall.id)
        more = f"\n({withheld} more with this culprit were not logged)" if withheld else ""
        LOG.warning("%s%s%s", stall.summary, stack(turn(stall.stack)), more, extra={"stall": stall})

    def _admit(self, stall: Stall) -> int | None:
        """How many stalls were withheld before this one; None when it is to be, too."""
        now = time.monotonic()
        key = None if stall.frame is None else (stall.frame.file, stall.frame.line)
        said = self._said.pop(key, _Said(now - REST, 0))
        long = stall.ongoing and stall.duration >= REST
        if now - said.when < REST and not long:
            self._said[key] = said._replace(withheld=said.withheld + (not stall.ongoing))
            return None
        self._said[key] = _Said(now, 0)
        if len(self._said) > CULPRITS:
            del self._said[next(iter(self._said))]
        return said.withheld


def stack(frames: tuple[Frame, ...]) -> str:
    """A stack as tracebacks show it, each line with a newline in front; may read source files."""
    lines = []
    for frame in frames:
        lines.append(f'\n  File "{frame.file}", line {frame.line}, in {frame.function}')
        source = linecache.getline(frame.file, frame.line).strip()
        if source:
            lines.append(f"\n    {source}")
    return "".join(lines)
