"""The tiny callback that a busy loop is asked to run."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from asyncconsole.capture.loops import turn_of_callback

LATE = 0.005
"""Seconds after which it matters in which turn a beat was answered."""


class Beat:
    """A callback that notes when and where it ran; refers to nothing of the program.

    Attributes:
        sent: Monotonic time it was given to the loop.
        answered: Monotonic time it ran; None before. Set last.
        thread: Ident of the thread it ran in.
        door: ``id()`` of the frame it was called from.
        instruction: ``f_lasti`` of that frame.
        turn: Monotonic time at which the turn began that it ran in; None when it ran
            soon, and when the loop doesn't tell.
    """

    __slots__ = ("answered", "door", "instruction", "sent", "thread", "turn")

    def __init__(self) -> None:
        self.sent = time.monotonic()
        self.answered: float | None = None
        self.thread = 0
        self.door = 0
        self.instruction = 0
        self.turn: float | None = None

    def __call__(self) -> None:
        """Run on the loop."""
        now = time.monotonic()
        try:
            frame = sys._getframe(1)  # noqa: SLF001 - who called
            self.door, self.instruction = id(frame), frame.f_lasti
            if now - self.sent > LATE:
                self.turn = turn_of_callback(frame)
        except ValueError:
            self.door = 0  # called straight from C
        self.thread = threading.get_ident()
        self.answered = now

    def silences(self, since: float) -> list[tuple[float, float]]:
        """Start and end of the times in which the loop ran no callback before it answered.

        Args:
            since: Monotonic time of the last proof of life.
        """
        start, end = max(since, self.sent), self.answered
        if end is None:
            return []
        if self.turn is not None and start < self.turn < end:
            return [(start, self.turn), (self.turn, end)]
        return [(start, end)]


def send(loop: Any) -> Beat | None:
    """Give a beat to a loop; None when the loop takes nothing (it has just closed)."""
    beat = Beat()
    try:
        loop.call_soon_threadsafe(beat)
    except Exception:
        return None
    return beat
