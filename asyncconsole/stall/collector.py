"""The pauses of the garbage collector, as it tells of them itself.

A collection holds the GIL, in whichever thread it began: at the allocation that happened to be one
too many. So it looks like a call in C there, and is nobody's doing.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 0.005
"""Seconds from which a collection is remembered."""

KEPT = 64
"""Collections that are remembered."""


class Collector:
    """Is told when a collection begins and ends, while somebody wants to know.

    Attributes:
        note: One of ``gc.callbacks``. Called in the program's threads, in the midst of anything,
            thousands of times a second at worst: it does next to nothing, keeps nothing alive,
            and needs nothing that is gone when the program ends.
    """

    __slots__ = ("_owners", "_spans", "_state", "note")

    def __init__(self) -> None:
        self._owners: set[int] = set()
        self._spans: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._state = [0.0]  # when the collection began that goes on; 0 for none
        self.note = self._noter()

    def _noter(self) -> Callable[[str, dict[str, Any]], None]:
        state, spans, long, now = self._state, self._spans, LONG, time.monotonic

        # A closure: half of a method's cost.
        def note(phase: str, _: dict[str, Any]) -> None:
            if phase == "start":
                state[0] = now()
                return
            began = state[0]
            if began and (end := now()) - began >= long:
                spans.append((began, end))
            state[0] = 0.0

        return note

    def watch(self, owner: object) -> None:
        """Listen, for ``owner`` and all others that want it."""
        self._owners.add(id(owner))
        if not any(one is self.note for one in gc.callbacks):
            gc.callbacks.append(self.note)

    def unwatch(self, owner: object) -> None:
        """``owner`` wants it no more; also one that never did."""
        self._owners.discard(id(owner))
        if not self._owners:
            self.forked()

    def forked(self) -> None:
        """Nobody is there who wants to know, as in a forked child."""
        self._owners.clear()
        self._state[0] = 0.0
        # One by one: what the program adds to the list meanwhile is the program's.
        with contextlib.suppress(Exception):  # not there, or another callback can't be compared
            while self.note in gc.callbacks:
                gc.callbacks.remove(self.note)

    def spent(self, start: float, end: float) -> float:
        """Seconds between two monotonic times in which something was collected.

        Also in what has ended and not been told yet: other threads get their turn there.
        """
        began = self._state[0]
        spans = [span for span in list(self._spans) if span[0] != began]
        if began:
            spans.append((began, end))
        return sum(max(0.0, min(end, last) - max(start, first)) for first, last in spans)


COLLECTOR = Collector()
"""The process's own."""
