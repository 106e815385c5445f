"""The heartbeat: looks at every loop from the side thread, and asks the busy ones.

A loop that waits for events is only looked at: waking it would hide a program's missing
``call_soon_threadsafe``. A loop found busy is given one `Beat`; while that stays
unanswered its thread is sampled, and after the threshold it counts as stalled.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from asyncconsole.capture.loops import LoopBook, LoopFact
from asyncconsole.capture.turn import turn_began
from asyncconsole.model import Stall, UsageError
from asyncconsole.model.status import ProbeStatus
from asyncconsole.stall import clocks, gil
from asyncconsole.stall.answer import Look, hear
from asyncconsole.stall.beat import send
from asyncconsole.stall.collector import COLLECTOR
from asyncconsole.stall.ease import FOUND, LEAST, at_ease
from asyncconsole.stall.glance import Glance, glance
from asyncconsole.stall.news import News
from asyncconsole.stall.questions import Questions
from asyncconsole.stall.record import OpenStall
from asyncconsole.stall.watch import Lags, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncconsole.stall.clocks import Vitals

DEFAULT_THRESHOLD = 0.5
"""Seconds without a turn that count as a stall."""

KEPT = 256
"""Stalls that are remembered."""

GRACE = 0.02
"""Seconds a loop gets to answer when the side thread itself was late."""

_LOG = logging.getLogger("asyncconsole")


class Probe:
    """Watches the loops of a `LoopBook` from the console's side loop.

    All methods but `stalls`, `blocked` and `lags` belong to the side loop's thread.

    Args:
        loop: The side loop.
        book: The loops to watch.
        identify: Gives id and name of a task object.
        threshold: Seconds; None for the default, 0 for off.
        also: Called with each beat, for whoever has something to do now and then and
            should not wake the side thread for it.

    Attributes:
        news: Tells whoever wants to know of stalls.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        book: LoopBook,
        identify: Callable[[Any], tuple[int, str]],
        threshold: float | None = None,
        also: Callable[[], None] | None = None,
    ) -> None:
        self._loop = loop
        self._also = also
        self._book = book
        self._glance: Callable[[LoopFact], Glance] = partial(glance, book=book, identify=identify)
        self._threshold = DEFAULT_THRESHOLD
        self._wanted = True
        self._started = False
        self._complained = False
        self._timer: asyncio.TimerHandle | None = None
        self._watches: dict[int, Watch] = {}
        self._questions = Questions(book)
        self._ring: deque[Stall] = deque(maxlen=KEPT)
        self._last = 0
        self._before: Vitals | None = None
        self._older: Vitals | None = None
        self._due = self._found = 0.0
        self._running: list[LoopFact] = []
        self._rested: clocks.Rest | None = None
        self._born = 0.0
        self.news = News()
        self.configure(threshold=DEFAULT_THRESHOLD if threshold is None else threshold)

    @property
    def dropped(self) -> int:
        """Ended stalls that the ring has no room for any more."""
        declared = sum(watch.declared for watch in list(self._watches.values()))
        return max(0, self._last - len(self._ring) - declared)

    @property
    def interval(self) -> float:
        """Seconds between two beats."""
        return min(0.25, max(0.01, self._threshold / 2))

    def start(self) -> None:
        """Begin to watch, if the probe is on."""
        self._started = True
        if self._wanted and self._timer is None:
            self._before = self._older = None
            self._found = -math.inf
            self._born = self._due = time.monotonic()
            COLLECTOR.watch(self)
            self._timer = self._loop.call_later(0, self._tick)

    def resting(self) -> None:
        """The side thread goes to wait for events; when it is late by now, it looks first."""
        self.woken()
        self._rested = clocks.rest()

    def woken(self) -> None:
        """The side thread has just got the GIL back: when it is late, it looks at once.

        Whatever else it has to do now gives the GIL back, as to take a client in, and whoever
        had it goes on.
        """
        if self._timer is not None and time.monotonic() - self._due > clocks.SLACK:
            self._timer.cancel()
            self._tick()

    def stop(self) -> None:
        """Stop watching; may be called again and again."""
        self._started = False
        self._rest()
        self.news.end()

    def configure(self, *, on: bool | None = None, threshold: float | None = None) -> ProbeStatus:
        """Change settings; None leaves one as it is, a threshold of 0 means off.

        Raises:
            UsageError: The threshold is no number of seconds.
        """
        if threshold is not None:
            if not math.isfinite(threshold) or threshold < 0:
                msg = f"A stall threshold is a number of seconds, 0 for off: not {threshold}."
                raise UsageError(msg)
            if threshold == 0:
                on = False
            else:
                self._threshold = float(threshold)
        if on is not None:
            self._wanted = on
        if on is None and threshold is None:
            return self.status()  # a question; starting anew would forget a stall that goes on
        if not self._wanted:
            self._rest()
        elif self._started:
            self._rest()
            self.start()
        return self.status()

    def status(self) -> ProbeStatus:
        """The settings in force."""
        return ProbeStatus(self._wanted, self._threshold, self.interval)

    def stalls(self) -> tuple[Stall, ...]:
        """Recorded stalls, oldest first, those that go on included."""
        now = time.monotonic()
        found = list(self._ring)
        found += [stall for watch in list(self._watches.values()) if (stall := watch.ongoing(now))]
        return tuple(sorted(found, key=lambda stall: stall.id))

    def blocked(self, number: int) -> float | None:
        """Seconds that a loop has been stalled; None when it is not."""
        watch = self._watches.get(number)
        return None if watch is None else watch.blocked(time.monotonic())

    def lags(self, number: int) -> Lags:
        """How long a loop needs to answer, as measured when it was busy or asked."""
        watch = self._watches.get(number)
        return Lags(None, None, None) if watch is None else watch.lags(time.monotonic())

    async def ask(self, number: int, timeout: float) -> float | None:
        """Wake a loop and measure how long it needs to answer, as `Questions.ask` does."""
        took = await self._questions.ask(number, timeout)
        if took is not None:
            self._watch(number).measured(took)
        return took

    def _rest(self) -> None:
        """No beats until the next start."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        COLLECTOR.unwatch(self)
        now = time.monotonic()
        for watch in self._watches.values():
            self._keep(watch.forget(now))
        self.news.tell(now)

    def _tick(self) -> None:
        """One beat. Whatever goes wrong in it, the next one comes."""
        self._timer = None
        delay, lost = self.interval, 0.0
        try:
            now = clocks.read()
            if not self._is_well(now):
                delay = self._look(now)
                self.news.tell(time.monotonic())
                if self._also is not None:
                    self._also()
                if self._before is not None:
                    self._before = clocks.count(self._before, self._older)
            took = time.monotonic() - now.time  # of all that gives the GIL back
            if took > self._threshold:
                delay, lost = 0.0, took  # it lost the GIL in the middle: look again at once
        except Exception:
            self._before = self._older = None
            if not self._complained:
                self._complained = True
                _LOG.exception("The stall probe failed in a beat and goes on.")
        self._due = time.monotonic() + delay - lost
        self._timer = self._loop.call_later(delay, self._tick)

    def _is_well(self, now: Vitals) -> bool:
        """The short look, as a beat costs the program whatever is done with the GIL."""
        before = self._before
        if before is None or self._threshold < LEAST or now.time - self._found >= FOUND:
            return False
        if now.time - self._due > clocks.SLACK:
            return False
        turns = at_ease(self._running, self._watches, before.time)
        if turns is None:
            return False
        for fact, began in turns:
            self._watches[fact.number].well(fact.thread, now, began)
        self._rested = None
        self._older, self._before = before, clocks.uncounted(now, before)
        return True

    def _look(self, vitals: Vitals) -> float:
        """Look at every loop.

        Returns:
            Seconds until the next look.
        """
        before = self._before or vitals
        rested, self._rested = self._rested, None
        gap = clocks.judge(before, vitals, self._due if self._before else vitals.time, rested)
        older, self._older, self._before = self._older, self._before, vitals
        facts = self._book.find()
        self._found = vitals.time
        running = self._running = [fact for fact in facts if fact.running]
        holder: gil.Holder | None = None
        glances: dict[int, Glance] = {}
        if gap.reason == "held" and gap.late > self._threshold:
            holder = gil.holder(running, older, before, vitals, gap)
            glances = {fact.number: self._glance(fact) for fact, _ in holder.loops}
        if gap.reason in {"frozen", "held"}:
            # This gives the GIL back: whoever had it may go on.
            gap = clocks.settle(gap, before, vitals, clocks.own_queue(), rested)
            if gap.reason != "held":
                holder, glances = None, {}
        if gap.reason == "frozen":
            self._older = None  # that beat says nothing about who was busy
        for number in set(self._watches) - {fact.number for fact in running}:
            self._keep(self._watches[number].forget(vitals.time))
        for number in set(self._watches) - {fact.number for fact in facts if not fact.closed}:
            del self._watches[number]
        look = Look(before, vitals, gap, holder, glances)
        told = {fact.number for fact in running if self._hear(fact, look)}
        if holder is not None:
            self._without_gil(holder, told, look)
        for fact in running:
            self._see(self._watch(fact.number), fact, look)
        return self._delay()

    def _hear(self, fact: LoopFact, look: Look) -> bool:
        """Take in the answer to a beat.

        Returns:
            True when a stall is over that the side thread was too late to see.
        """
        watch = self._watch(fact.number)
        beat = watch.beat
        heard = hear(watch, fact, look, self._threshold, self._last + 1)
        if beat is not None and watch.beat is None and fact.ready is None:
            self._book.learn_door(fact.number, beat.thread, beat.door, beat.instruction)
        self._keep(heard.ended)
        if heard.missed is None:
            return False
        self._last += 1
        self._keep(heard.missed)
        return True

    def _see(self, watch: Watch, fact: LoopFact, look: Look) -> None:
        """Judge a loop by where its thread is now."""
        now, gap = look.now.time, look.gap
        if fact.idle:
            watch.fine(fact.thread, look.now, gap)
            self._keep(watch.live(now))
            return
        began = turn_began(fact.reference(), fact.thread)
        if began is not None and began <= now:
            # What was before the probe is not its to tell: it may have been our own start.
            began = max(began, self._born)
            # It may have come around, with the answer waiting behind others in this turn.
            self._keep(watch.begun(began))
        since = watch.since()
        silent = 0.0 if since is None else now - since
        if watch.beat is not None or silent >= self.interval:
            watch.draft = self._sample(watch, fact, look)
        else:
            watch.clock = watch.fine(fact.thread, look.now, gap)
        if watch.beat is None:
            self._send(watch, fact)
        if since is None or watch.declared or silent - watch.waited < self._threshold:
            return
        if silent - watch.waited - watch.unsettled(fact.thread) < self._threshold:
            return  # its thread may wait for a CPU just now
        if gap.late > clocks.SLACK and not watch.graced:
            watch.graced = True  # the loop may have been as short of time as this thread
            return
        self._declare(watch, began, since)

    def _without_gil(self, holder: gil.Holder, told: set[int], look: Look) -> None:
        """Somebody held the GIL for longer than the threshold."""
        before, gap = look.before, look.gap
        for fact, began in holder.loops:
            if fact.number in told:
                continue
            watch = self._watch(fact.number)
            if watch.beat is None:
                watch.clock = clocks.thread_clock(fact.thread, before, queue=False)
            if began is not None:
                self._keep(watch.begun(began))
            waited, seen = watch.waited, watch.seen
            watch.draft = self._sample(watch, fact, look)
            watch.draft.without_gil += gap.late
            # It has given the GIL back: the kernel has counted all of its waits for a CPU.
            ran = gap.late - (watch.waited - waited)
            if before.queued is not None and (seen is None or seen.queued is None):
                ran = clocks.used(fact.thread, before, look.now)  # nobody knows its waits
            if ran >= self._threshold:
                self._declare(watch, began, before.time)
            if watch.beat is None:
                self._send(watch, fact)
        for fact in holder.starved:
            watch = self._watch(fact.number)
            if not watch.declared and fact.number not in told:
                self._last += 1
                self._keep(gil.starved(self._last, fact.number, holder.sample, gap))
                watch.shift(gap.late)  # that time is told now

    def _declare(self, watch: Watch, began: float | None, since: float) -> None:
        """It is a stall, since the last proof of life or the start of the turn."""
        if watch.declared or watch.draft is None:
            return
        known = [time for time in (began, watch.alive) if time is not None]
        self._last += 1
        watch.draft.begin(self._last, max(known, default=since))
        watch.declared = True
        self.news.found(watch)

    def _send(self, watch: Watch, fact: LoopFact) -> None:
        loop = fact.reference()
        watch.beat = None if loop is None else send(loop)

    def _sample(self, watch: Watch, fact: LoopFact, look: Look) -> OpenStall:
        """Add what is seen of a silent loop now to what was seen before."""
        seen: Glance | None = look.glances.pop(fact.number, None)
        sample, task, late = seen or self._glance(fact)
        if late is not None and watch.beat is not None:
            late = max(0, late - 1)  # the beat is one of them
        draft = watch.draft or OpenStall(watch.number, watch.clock)
        clock = clocks.thread_clock(fact.thread, look.now, queue=True)
        watch.saw(clock, look.gap)
        draft.add(sample, task, late, clock)
        return draft

    def _delay(self) -> float:
        """Seconds to the next look: the next beat, or the moment a stall is due."""
        delay = self.interval
        now = time.monotonic()
        for watch in self._watches.values():
            left = watch.left(self._threshold, now)
            if left is not None:
                delay = min(delay, GRACE if left <= 0 else left + 0.001)
        return max(0.005, delay)

    def _watch(self, number: int) -> Watch:
        return self._watches.setdefault(number, Watch(number))

    def _keep(self, stall: Stall | None) -> None:
        if stall is not None:
            self._ring.append(stall)
            self.news.over(stall)
