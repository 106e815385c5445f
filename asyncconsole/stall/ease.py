"""The short look at loops with which all was well a moment ago.

Whatever the side thread does with the GIL keeps the program from it: a loop that has begun
a turn since the last look is alive, and need neither be looked for nor asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncconsole.capture.running import entries, thread_frames, turn_on, waits
from asyncconsole.capture.turn import turn_at
from asyncconsole.stall.beat import LATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asyncconsole.capture.loops import LoopFact
    from asyncconsole.stall.watch import Watch

LEAST = 0.02
"""Thresholds below are shorter than two beats: short looks would miss stalls."""

FOUND = 0.1
"""Seconds for which loops that were found need not be looked for again, while all is well."""


def at_ease(
    facts: Iterable[LoopFact], watches: Mapping[int, Watch], since: float
) -> list[tuple[LoopFact, float | None]] | None:
    """Whether every loop has shown to be alive, and was too quick to answer for a stall.

    Args:
        facts: Loops that ran a moment ago.
        watches: What is known of them, by number.
        since: Monotonic time of the last look.

    Returns:
        Each of them with the monotonic time at which its turn began, None where it waits for
        events; None when one has to be looked at closely.
    """
    codes = entries()
    frames = thread_frames()
    found: list[tuple[LoopFact, float | None]] = []
    try:
        for fact in facts:
            watch, top = watches.get(fact.number), frames.get(fact.thread or 0)
            if watch is None or watch.declared or top is None:
                return None
            beat = watch.beat
            if beat is not None and (beat.answered is None or beat.answered - beat.sent > LATE):
                return None
            turn, called = turn_on(top, codes)
            if turn is None:
                return None
            owner, began = turn_at(turn)
            if owner is not fact.reference():
                return None  # in a loop of its own, or stopped since
            if called is not None and waits(top, called):
                found.append((fact, None))
            elif began is not None and began > since:
                found.append((fact, began))
            else:
                return None
    except Exception:
        return None  # the closer look says what it is
    finally:
        frames.clear()  # one of them is an ancestor of this very frame
    return found
