"""Where the slices of a capture run: on a busy loop itself, or on the side thread.

A loop with many short turns lets other threads wait for the GIL, and moves while they
read. So tasks are read on it, a millisecond at a time. An idle loop is never woken: that
would cure, and so hide, a missing ``call_soon_threadsafe``; one that is blocked would never
answer. Both are read from the side thread, and so is the rest of a capture whose loop stops
answering.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from typing import Any

from asyncconsole.capture.clock import ran
from asyncconsole.capture.look import LIVE
from asyncconsole.capture.loops import LoopBook
from asyncconsole.serve.patience import forget, within

SLICE = 0.001
"""Seconds of one turn on the program's loop."""

PATIENCE = 0.1
"""Seconds in which the loop must give a turn, else the side thread goes on."""

LOOKS = 3
"""Looks at a loop, each of which must find it busy."""

BETWEEN = 0.001
"""Seconds between them."""

STUCK = 5.0
"""Seconds after which a slice that has begun is given up."""


async def busy(loops: LoopBook) -> Any:
    """The loop on which to read, or None.

    One that was busy whenever it was looked at, and gives turns: that is asked before a
    capture lists the tasks, since those of other loops go on while a blocked one is waited for.
    """
    left: set[int] | None = None
    before: dict[int, int] = {}
    for look in range(LOOKS):
        if look:
            await asyncio.sleep(BETWEEN)
        # A loop that has callbacks ready only passes through its selector: other threads
        # get the GIL just there, so that is where they see it. But if its thread has not
        # run since, nobody woke it, which is somebody's fault and is not to be hidden.
        now = ran()
        found = {
            f.number
            for f in loops.find()
            if f.running and (not f.idle or (f.ready and not _slept(before, now, f.thread)))
        }
        before = before or now
        left = found if left is None else left & found
        if not left:
            return None
    return await _answering([loops.loop(number) for number in sorted(left or ())])


def _slept(before: dict[int, int], now: dict[int, int], thread: int | None) -> bool:
    """True when a thread has used no CPU time between two readings."""
    return thread is not None and thread in before and before[thread] == now.get(thread)


async def _answering(candidates: list[Any]) -> Any:
    """The first of these loops that runs a callback within `PATIENCE`, or None."""
    side = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = side.create_future()
    answer.add_done_callback(forget)

    def answered(loop: Any) -> None:
        if not answer.done():
            answer.set_result(loop)

    def tell(loop: Any) -> None:  # on the program's loop
        with suppress(RuntimeError):  # the console has closed meanwhile
            side.call_soon_threadsafe(answered, loop)

    handles = []
    for loop in candidates:
        with suppress(RuntimeError, AttributeError):  # it has closed, or gone
            handles.append(loop.call_soon_threadsafe(tell, loop))
    if not handles:
        return None
    try:
        return await within(PATIENCE, answer)
    except asyncio.TimeoutError:
        return None
    finally:
        for handle in handles:
            handle.cancel()


class Turns:
    """Drives a capture; slices that only read tasks run on a loop that gives them turns.

    Args:
        steps: The capture.
        loop: The program's loop; None to use the side thread alone. Held weakly.

    Attributes:
        value: What the capture returned.
    """

    def __init__(self, steps: Generator[Any, None, Any], loop: Any) -> None:
        self.value: Any = None
        self._steps = steps
        self._loop = weakref.ref(loop) if loop is not None else None
        self._side = asyncio.get_running_loop()

    async def all(self) -> AsyncGenerator[Any, None]:
        """Drive it to the end; gives what is yielded that is no mark between slices."""
        mark: Any = None
        try:
            while True:
                ended = None
                if mark == LIVE and self._loop is not None:
                    ended, mark = await self._there()
                else:
                    ended, mark = self._slice(0.0)
                if ended is not None:
                    (self.value,) = ended
                    return
                if mark is None or mark == LIVE:
                    await asyncio.sleep(0)
                else:
                    yield mark
        finally:
            # A slice that still runs on the loop lets go of the capture, which closes it.
            with suppress(ValueError):
                self._steps.close()

    def _slice(self, length: float) -> tuple[tuple[Any] | None, Any]:
        """Run steps: one, or as many of the readings as there is time for."""
        end = time.perf_counter() + length
        while True:
            try:
                mark = next(self._steps)
            except StopIteration as ended:
                # Not the exception: it and its frames would be a cycle that keeps the value.
                return (ended.value,), None
            if mark != LIVE or time.perf_counter() >= end:
                return None, mark

    async def _there(self) -> tuple[tuple[Any] | None, Any]:
        """A slice on the program's loop; here, when that doesn't get to it."""
        loop: Any = self._loop() if self._loop is not None else None
        turn = _Turn(self)
        try:
            handle = loop.call_soon_threadsafe(turn.run)
        except (RuntimeError, AttributeError):  # it has closed, or gone
            self._loop = None
            return self._slice(0.0)
        del loop
        try:
            return await within(PATIENCE, asyncio.shield(turn.done))
        except asyncio.TimeoutError:
            pass
        if turn.withdraw():
            handle.cancel()
            self._loop = None
            return self._slice(0.0)
        return await within(STUCK, asyncio.shield(turn.done))


class _Turn:
    """One slice on the program's loop, unless it is withdrawn before it begins."""

    def __init__(self, turns: Turns) -> None:
        self.done: asyncio.Future[Any] = turns._side.create_future()  # noqa: SLF001 - a part of it
        self.done.add_done_callback(forget)
        self._turns: Turns | None = turns
        self._side = turns._side  # noqa: SLF001 - same
        self._lock = threading.Lock()

    def withdraw(self) -> bool:
        """Keep it from beginning; False when it has begun."""
        with self._lock:
            begun = self._turns is None
            self._turns = None
            return not begun

    def run(self) -> None:
        """On the program's loop. Raises nothing but what interrupts the program itself."""
        with self._lock:
            turns, self._turns = self._turns, None
        if turns is None:
            return
        try:
            found: Any = turns._slice(SLICE)  # noqa: SLF001 - see above
        except Exception as broken:
            self._tell(None, broken)
        except BaseException:  # Ctrl-C of the program, which happened to be here
            self._tell(None, RuntimeError("the program was interrupted while it was read"))
            raise
        else:
            self._tell(found, None)

    def _tell(self, found: Any, broken: Exception | None) -> None:
        try:
            self._side.call_soon_threadsafe(self._set, found, broken)
        except RuntimeError:  # the console has closed meanwhile
            return

    def _set(self, found: Any, broken: Exception | None) -> None:
        if self.done.done():
            return
        if broken is not None:
            self.done.set_exception(broken)
        else:
            self.done.set_result(found)
