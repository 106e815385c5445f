"""The tiny callback that a busy loop is asked to run."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any


class Beat:
    """A callback that notes when and where it ran; refers to nothing of the program.

    Attributes:
        sent: Monotonic time it was given to the loop.
        answered: Monotonic time it ran; None before. Set last.
        thread: Ident of the thread it ran in.
        door: ``id()`` of the frame it was called from.
        instruction: ``f_lasti`` of that frame.
    """

    __slots__ = ("answered", "door", "instruction", "sent", "thread")

    def __init__(self) -> None:
        self.sent = time.monotonic()
        self.answered: float | None = None
        self.thread = 0
        self.door = 0
        self.instruction = 0

    def __call__(self) -> None:
        """Run on the loop."""
        now = time.monotonic()
        try:
            frame = sys._getframe(1)  # noqa: SLF001 - who called
            self.door, self.instruction = id(frame), frame.f_lasti
        except ValueError:
            self.door = 0  # called straight from C
        self.thread = threading.get_ident()
        self.answered = now


def send(loop: Any) -> Beat | None:
    """Give a beat to a loop; None when the loop takes nothing (it has just closed)."""
    beat = Beat()
    try:
        loop.call_soon_threadsafe(beat)
    except Exception:
        return None
    return beat
