"""What a busy loop runs: some looks at its thread and at its queue, when somebody asks.

Only loops that are found busy again and again are looked at: one that waits for events is not
woken, which would hide a missing ``call_soon_threadsafe``.
"""

from __future__ import annotations

import asyncio
import functools
import time
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import futures
from asyncconsole.capture.loops import DEPTH, LoopFact, entries, thread_frames
from asyncconsole.capture.objects import attribute
from asyncconsole.capture.turn import turn_began
from asyncconsole.model.busy import Busy
from asyncconsole.stall.beat import send

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

QUEUED = 32
"""Ready callbacks that are looked at."""

_PLUMBING = ("/asyncio/", "/uvloop/", "/asyncconsole/")
"""Folders of code that runs in every turn of many loops."""

_Callback = tuple[str, str, int]
"""Function, file, first line."""


async def sample(book: LoopBook) -> tuple[Busy, ...]:
    """Look at every loop that is busy; takes some 0.2 s if one is, a moment otherwise."""
    busy: set[int] | None = None
    for look in range(FIRST):
        if look:
            await asyncio.sleep(0.001)
        found = {f.number for f in book.find() if f.running and (f.ready or not f.idle)}
        busy = found if busy is None else busy & found
        if not busy:
            return ()
    seen = [_Seen(number) for number in sorted(busy or ())]
    end = time.monotonic() + LONGEST
    for _ in range(LOOKS):
        facts = {fact.number: fact for fact in book.find()}
        for one in seen:
            if one.number in facts:
                one.look(facts[one.number], book.door(one.number))
        if time.monotonic() > end:
            break
        await asyncio.sleep(PAUSE)
    return tuple(one.told() for one in seen)


class _Seen:
    """What was seen of one loop."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._began = time.monotonic()
        self._beat: Any = None
        self._looks = 0
        self._tasks = 0
        self._queue = True
        self._turns: set[float] = set()
        self._callbacks: dict[_Callback, int] = {}

    def look(self, fact: LoopFact, door: int) -> None:
        """One look; what can't be read in it is not counted."""
        loop = fact.reference()
        if loop is None or not fact.running:
            return
        if self._beat is None:
            self._beat = send(loop)
        self._looks += 1
        if fact.idle and not fact.ready:
            return  # it waits for events after all
        found: set[_Callback] = set()
        working = futures.current(loop) is not None
        if fact.ready is None:
            self._queue = False
        else:
            working = _queued(loop, found) or working
        if not working:
            running = _running(fact.thread, door)
            if running is not None:
                found.add(running)
        began = turn_began(loop, fact.thread)
        if began is not None:
            self._turns.add(began)
        self._tasks += working
        for callback in found:
            self._callbacks[callback] = self._callbacks.get(callback, 0) + 1

    def told(self) -> Busy:
        """All of it."""
        (function, file, line), found = max(
            self._callbacks.items(), key=lambda item: item[1], default=(("", "", 0), 0)
        )
        beat = self._beat
        answered = None if beat is None or beat.answered is None else beat.answered - beat.sent
        return Busy(
            loop=self.number,
            looks=self._looks,
            seconds=time.monotonic() - self._began,
            tasks=self._tasks,
            function=function,
            file=file,
            line=line,
            found=found,
            turns=len(self._turns) or None,
            queue=self._queue,
            answer=answered,
        )


def _queued(loop: Any, found: set[_Callback]) -> bool:
    """Add the callbacks that are ready; True when a task is among them."""
    try:
        handles = list(attribute(loop, "_ready"))[:QUEUED]
    except Exception:  # it changes while it is read
        return False
    working = False
    for handle in handles:
        callback = attribute(handle, "_callback")
        if _steps(callback):
            working = True
            continue
        code = _code(callback)
        if code is not None:
            _add(found, code)
    return working


def _steps(callback: Any) -> bool:
    """True for what makes a task go on."""
    if type(callback).__name__ in {"TaskStepMethWrapper", "TaskWakeupMethWrapper"}:
        return True
    try:
        return isinstance(object.__getattribute__(callback, "__self__"), asyncio.Task)
    except AttributeError:
        return False


def _code(callback: Any) -> CodeType | None:
    """The code of a callback that is a function, a method, or a partial of one."""
    for _ in range(4):
        if type(callback) is functools.partial:
            callback = callback.func
        elif type(callback) is MethodType:
            callback = callback.__func__
    return callback.__code__ if type(callback) is FunctionType else None


def _running(thread: int | None, door: int) -> _Callback | None:
    """The callback that a loop's thread is in."""
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
