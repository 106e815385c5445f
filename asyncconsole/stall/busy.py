"""What a busy loop runs: some looks at its thread and at its queue, when somebody asks.

Only loops that are found busy again and again are looked at: one that waits for events is not
woken, which would hide a missing ``call_soon_threadsafe``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from types import CodeType
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import futures, watched
from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.loops import LoopFact
from asyncconsole.capture.objects import attribute
from asyncconsole.capture.running import DEPTH, entries, thread_frames
from asyncconsole.capture.turn import turn_began
from asyncconsole.model.busy import Busy
from asyncconsole.stall.beat import send
from asyncconsole.stall.clocks import cpu_of
from asyncconsole.stall.place import code_of, steps

if TYPE_CHECKING:
    from asyncconsole.capture.loops import LoopBook

FIRST = 3
"""Looks that must find a loop busy before it is looked at more closely."""

LOOKS = 20
"""Looks at a busy loop."""

PAUSE = 0.01
"""Seconds between two of them."""

LONGEST = 1.0
"""Seconds for all of them: a busy loop lets other threads wait for the GIL."""

SPAN = 0.03
"""Seconds in which the CPU time of a loop that may spin is measured."""

SPANS = 3
"""How often, at most: a loaded machine gives a thread no CPU for a while."""

HOT = 0.1
"""Share of a CPU from which it counts as busy. One that waits uses next to none, and on a loaded
machine one that spins gets no more."""

QUEUED = 32
"""Ready callbacks that are looked at."""

_PLUMBING = ("/asyncio/", "/uvloop/", "/asyncconsole/")
"""Folders of code that runs in every turn of many loops."""

_Callback = tuple[str, str, int]
"""Function, file, first line."""


async def sample(book: LoopBook, blocked: Collection[int] = ()) -> tuple[Busy, ...]:
    """Look at every loop that is busy; takes some 0.2 s if one is, a moment otherwise.

    Args:
        book: The loops.
        blocked: Numbers of those that are known to be blocked: what they run is known.
    """
    busy: set[int] | None = None
    spinning = await _spinning(book)
    for look in range(FIRST):
        if look:
            await asyncio.sleep(0.001)
        # One that waits for events with callbacks in its queue was not woken: leave it alone.
        found = {f.number for f in book.find() if f.running and not f.idle}
        found = (found | spinning).difference(blocked)
        busy = found if busy is None else busy & found
        if not busy:
            return ()
    seen = [_Seen(number) for number in sorted(busy or ())]
    end = time.monotonic() + LONGEST
    while (left := [one for one in seen if one.looks < LOOKS]) and time.monotonic() < end:
        facts = {fact.number: fact for fact in book.find()}
        for one in left:
            if one.number in facts:
                one.look(facts[one.number], book.door(one.number))
        # Of a loop that shows no queue only its thread can be seen, and that seldom.
        await asyncio.sleep(PAUSE if any(one.queue for one in left) else 0.0)
    return tuple(one.told() for one in seen)


async def _spinning(book: LoopBook) -> set[int]:
    """Loops that use a CPU, though they may look as if they waited for events.

    A loop gives the GIL back where it polls, so that is where others find it; uvloop has no
    Python frames besides, and shows no queue.
    """
    hidden = {
        f.number: f.thread
        for f in book.find()
        if f.running
        and f.thread is not None
        and (f.ready is None or f.ready or not f.idle or _files(f.reference()))
    }
    found: set[int] = set()
    for _ in range(SPANS if hidden else 0):
        began, before = time.monotonic(), cpu_of(thread_frames().keys() & hidden.values())
        await asyncio.sleep(SPAN)
        after = cpu_of(thread_frames().keys() & hidden.values())
        most = (time.monotonic() - began) * HOT
        found.update(
            number
            for number, thread in hidden.items()
            if after.get(thread, 0.0) - before.get(thread, 0.0) > most
        )
        if len(found) == len(hidden):
            break
    return found


class _Seen:
    """What was seen of one loop."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._began = time.monotonic()
        self._beat: Any = None
        self.looks = 0
        self._tasks = 0
        self.queue = True
        self._turns: set[float] = set()
        self._polled = False
        self._callbacks: dict[_Callback, int] = {}
        self._files: set[_Callback] = set()

    def look(self, fact: LoopFact, door: int) -> None:
        """One look; what can't be read in it is not counted."""
        loop = fact.reference()
        if loop is None or not fact.running:
            return
        if self._beat is None:
            self._beat = send(loop)
        found: set[_Callback] = set()
        working = futures.current(loop) is not None
        callbacks = _queue(loop)
        if callbacks is None:
            self.queue = False
        else:
            working = _sort(callbacks, found) or working
        running = None if working or fact.idle else _running(fact.thread, door)
        if callbacks is None and running is None and not working:
            return  # it polls: nothing can be seen of it in this moment
        if running is not None and not working:
            found.add(running)
        self._polled = self._polled or fact.idle
        if running is None and not working:  # what its next turn runs is not in its queue yet
            files = _files(loop)
            self._files |= files
            found |= files
        self.looks += 1
        began = turn_began(loop, fact.thread)
        if began is not None:
            self._turns.add(began)
        self._tasks += working
        for callback in found:
            self._callbacks[callback] = self._callbacks.get(callback, 0) + 1

    def told(self) -> Busy:
        """All of it."""
        callback, found = max(
            self._callbacks.items(), key=lambda item: item[1], default=(("", "", 0), 0)
        )
        function, file, line = callback
        beat = self._beat
        answered = None if beat is None or beat.answered is None else beat.answered - beat.sent
        return Busy(
            loop=self.number,
            looks=self.looks,
            seconds=time.monotonic() - self._began,
            tasks=self._tasks,
            function=function,
            file=file,
            line=line,
            found=found,
            # Between a look into a turn and one at its wait for events, a turn passed.
            turns=len(self._turns) + self._polled if self._turns else None,
            queue=self.queue,
            watched=callback in self._files,
            answer=answered,
        )


def _queue(loop: Any) -> list[Any] | None:
    """The callbacks that are ready; None when the loop doesn't show them."""
    try:
        if uvloop.is_loop(loop):
            return [uvloop.callback(handle)[0] for handle in uvloop.ready(loop)[:QUEUED]]
        handles = list(attribute(loop, "_ready"))[:QUEUED]
        return [attribute(handle, "_callback") for handle in handles]
    except Exception:  # it has none, or it changes while it is read
        return None


def _sort(callbacks: list[Any], found: set[_Callback]) -> bool:
    """Add callbacks to those that were found; True when a task is among them."""
    working = False
    for callback in callbacks:
        if steps(callback):
            working = True
            continue
        code = code_of(callback)
        if code is not None:
            _add(found, code)
    return working


def _files(loop: Any) -> set[_Callback]:
    """What a loop's next turn runs because a socket or pipe is ready."""
    found: set[_Callback] = set()
    try:
        _sort(watched.ready(loop), found)
    except Exception:  # they change while they are read
        return set()
    return found


def _running(thread: int | None, door: int) -> _Callback | None:
    """The callback that a loop's thread is in, which does not wait for events."""
    frame = thread_frames().get(thread or 0)
    codes = entries()
    outermost: CodeType | None = None
    for _ in range(DEPTH):
        if frame is None:
            return None  # the turn was not found: it has just ended
        if frame.f_code in codes or id(frame) == door:
            break
        if not _plumbing(frame.f_code):
            outermost = frame.f_code
        frame = frame.f_back
    found: set[_Callback] = set()
    if outermost is not None:
        _add(found, outermost)
    return next(iter(found), None)


def _add(found: set[_Callback], code: CodeType) -> None:
    if not _plumbing(code):
        name = getattr(code, "co_qualname", code.co_name)  # 3.11+
        found.add((name, code.co_filename, code.co_firstlineno))


def _plumbing(code: CodeType) -> bool:
    file = code.co_filename.replace("\\", "/")
    return any(folder in file for folder in _PLUMBING)
