"""How many tasks there were in the last seconds, counted in passing."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from asyncconsole.capture import registry
from asyncconsole.capture.loops import LoopBook

EACH = 0.5
"""Seconds between two counts."""

KEPT = 60
"""Counts that are remembered."""

RARELY = 300
"""A count that takes long is made so many times rarer: at the most 0.3 % of the time."""

MOST_ASKED = 50_000
"""Tasks above which asking each loop for all of its tasks would stop the program for long."""


class Growth:
    """The number of tasks over time.

    Args:
        loops: The program's loops.
    """

    def __init__(self, loops: LoopBook) -> None:
        self._loops = loops
        self._counts: deque[tuple[float, int]] = deque(maxlen=KEPT)
        self._due = 0.0

    def note(self) -> None:
        """Count, if it is time to."""
        began = time.monotonic()
        if began < self._due:
            return
        # Where there is a registry its length tells, ended tasks included that somebody keeps.
        count = registry.registered()
        if not count and (not self._counts or self._counts[-1][1] < MOST_ASKED):
            count = len(registry.tasks(self._live()))
        now = time.monotonic()
        if count:
            self._counts.append((now, count))
        self._due = now + max(EACH, (now - began) * RARELY)

    def _live(self) -> list[Any]:
        found = [fact.reference() for fact in self._loops.find()]
        return [loop for loop in found if loop is not None]

    def counts(self) -> tuple[tuple[float, int], ...]:
        """Seconds ago, and how many there were; oldest first."""
        now = time.monotonic()
        return tuple((now - when, count) for when, count in self._counts)
