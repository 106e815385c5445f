"""The tiny callback that a busy loop is asked to run."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from asyncconsole.capture.turn import turn_of_callback

LATE = 0.005
"""Seconds after which it matters in which turn a beat was answered."""


class Beat:
    """A callback that notes when and where it ran; refers to nothing of the program.

    Attributes:
        sent: Monotonic time at which it was made.
        given: Monotonic time at which the loop had it for certain: later than ``sent``
            where the side thread lost its CPU or the GIL in between.
        answered: Monotonic time it ran; None before. Set last.
        thread: Ident of the thread it ran in.
        door: ``id()`` of the frame it was called from.
        instruction: ``f_lasti`` of that frame.
        turn: Monotonic time at which the turn began that it ran in; None when it ran
            soon, and when the loop doesn't tell.
    """

    __slots__ = ("answered", "door", "given", "instruction", "sent", "thread", "turn")

    def __init__(self) -> None:
        self.sent = self.given = time.monotonic()
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

    def silence(self, since: float | None) -> tuple[float, float]:
        """Start and end of the longest time in which the loop ran no callback until it answered.

        Args:
            since: Monotonic time of the last proof of life, if any.
        """
        end = self.given if self.answered is None else self.answered
        start = self.given if since is None else max(since, self.given)
        if self.turn is None or not start < self.turn < end:
            return start, end
        # It was given in one turn and answered in the next: neither lasted for both.
        first, second = (start, self.turn), (self.turn, end)
        return first if self.turn - start > end - self.turn else second


def send(loop: Any) -> Beat | None:
    """Give a beat to a loop; None when the loop takes nothing (it has just closed)."""
    beat = Beat()
    try:
        loop.call_soon_threadsafe(beat)
        beat.given = time.monotonic()
    except Exception:
        return None
    return beat
