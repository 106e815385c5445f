"""The answer to a beat, and the stall it proves that nobody was there to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asyncconsole.stall.clocks import thread_clock
from asyncconsole.stall.record import OpenStall

if TYPE_CHECKING:
    from asyncconsole.capture.loops import LoopFact
    from asyncconsole.model import Stall
    from asyncconsole.stall.beat import Beat
    from asyncconsole.stall.clocks import Gap, Vitals
    from asyncconsole.stall.gil import Holder
    from asyncconsole.stall.glance import Glance
    from asyncconsole.stall.watch import Watch


class Look(NamedTuple):
    """One look of the side thread at the process.

    Attributes:
        before: The clocks at the look before.
        now: The clocks at this one.
        gap: How late the side thread was in between, and why.
        holder: Who had the GIL in the gap; None where that explains no stall.
        glances: What the loops that had it do, by number, seen before anybody could go on;
            each is used once.
    """

    before: Vitals
    now: Vitals
    gap: Gap
    holder: Holder | None
    glances: dict[int, Glance]


class Heard(NamedTuple):
    """The stall that an answer has ended, and the one it tells of, if any."""

    ended: Stall | None
    missed: Stall | None


def hear(watch: Watch, fact: LoopFact, look: Look, threshold: float, number: int) -> Heard:
    """Take in the answer to a beat, by the time at which it was given.

    Args:
        watch: What is known of the loop.
        fact: The loop as it is now.
        look: This look.
        threshold: Seconds that count as a stall.
        number: The next stall's.
    """
    frozen = look.gap.reason == "frozen"
    if look.gap.stopped:
        watch.shift(look.gap.stopped)
    beat = watch.beat
    if beat is None or beat.answered is None:
        return Heard(None, None)
    missed = None
    if not frozen:
        watch.measured(beat.answered - beat.sent)
        if not watch.declared:
            missed = _overslept(watch, beat, fact, look, threshold, number)
    watch.beat = None
    return Heard(watch.live(beat.answered), missed)


def _overslept(
    watch: Watch, beat: Beat, fact: LoopFact, look: Look, threshold: float, number: int
) -> Stall | None:
    """The stall that ended before the side thread had seen it for long enough."""
    start, end = beat.silence(watch.since())
    if end - start < threshold:
        return None
    holder = look.holder
    if holder is not None and holder.thread not in {None, fact.thread}:
        return None  # somebody else's, told as such
    # The file of the queue gives the GIL back: not before all others are looked at.
    clock = thread_clock(fact.thread, look.now, queue=holder is None)
    watch.saw(clock, look.gap)
    spent = look.now.own - look.before.own  # the loop could not have the GIL then
    if end - start - watch.waited - spent < threshold:
        return None
    draft = watch.draft or OpenStall(watch.number, watch.clock)
    draft.note(clock)
    if holder is not None:
        draft.without_gil += look.gap.late
    draft.begin(number, start)
    return draft.stall(end, ongoing=False)
