"""The last tasks that ended, as text: no task, result or exception is kept alive."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.endings import End

MOST = 1000
"""Tasks remembered."""

MOST_CANCELLERS = 1000
"""Tasks cancelled through the console that may not have ended yet."""


class Ring:
    """The last `MOST` ended tasks.

    Args:
        known: Gives the id that a live task already has, or 0.
        ours: Says whether a loop is the console's own.
        most: How many are kept.
    """

    def __init__(
        self, known: Callable[[Any], int], ours: Callable[[Any], bool], most: int = MOST
    ) -> None:
        self._known = known
        self._ours = ours
        self._loop: weakref.ref[Any] | None = None
        self._ends: deque[End] = deque(maxlen=most)
        self._cancellers: dict[weakref.ref[Any], str] = {}
        self.seen = 0

    def add(self, task: Any, record: Any, *, exact: bool = True) -> None:
        """Remember a task that has ended; ``exact`` when it has just.

        Runs in its loop's thread.
        """
        loop = futures.loop(task)
        if self._loop is None or self._loop() is not loop:
            if self._ours(loop):
                return
            self._loop = weakref.ref(loop)  # the same one as last time, mostly
        end = End(task, self._known(task), record, exact=exact)
        if self._cancellers:
            by = self._cancellers.pop(end.token, "")
            if by and end.outcome == "cancelled":
                end.cancelled_by = by
        self.seen += 1
        self._ends.append(end)

    def forget(self, count: int) -> None:
        """Tasks have ended that are not remembered."""
        self.seen += count

    def view(self, task: Any, number: int, record: Any) -> End | None:
        """A task that has ended and is not remembered yet, as it will be; None for ours."""
        if self._ours(futures.loop(task)):
            return None
        end = End(task, number, record, exact=False)
        by = self._cancellers.get(end.token, "")
        if by and end.outcome == "cancelled":
            end.cancelled_by = by
        return end

    def note_cancel(self, task: Any, by: str) -> None:
        """Remember who asks a task to cancel."""
        if len(self._cancellers) >= MOST_CANCELLERS:
            self._cancellers.clear()
        self._cancellers[weakref.ref(task)] = by

    def ends(self) -> list[End]:
        """What is remembered, oldest first."""
        return list(self._ends)

    @property
    def dropped(self) -> int:
        """How many were forgotten to make room."""
        return max(0, self.seen - len(self._ends))

    def clear(self) -> None:
        """Forget all."""
        self._ends.clear()
        self._cancellers.clear()
        self.seen = 0
