"""Every event loop of the process, and the thread each one runs in.

Loops are found on the stacks of the threads (`running`). uvloop's
``run_forever`` has no Python frame; its loops are found through the ``Runner`` that runs
them, through the task they execute, or because `LoopBook.note` was told of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import weakref
from asyncio import base_events as _base
from asyncio import tasks as _tasks
from dataclasses import dataclass
from types import FrameType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.objects import attribute, method_code, type_name
from asyncconsole.capture.running import DEPTH, Run, foreign_runs, runs, thread_frames


@dataclass(frozen=True, slots=True)
class LoopFact:
    """One loop as it was a moment ago.

    Attributes:
        number: Small and stable; 1 is the first loop seen.
        reference: Weak reference to the loop.
        type: Class name with module.
        thread: Ident of the thread it runs in; None when it doesn't run or isn't known.
        running: True while it runs.
        closed: True once closed.
        debug: asyncio debug mode.
        ready: Callbacks in its ready queue; None when the loop doesn't tell.
        timers: Timers that are not cancelled; None when the loop doesn't tell.
        idle: True when its thread waits for events and runs no callback.
        guessed: True when another thread than ``thread`` may run it.
    """

    number: int
    reference: weakref.ref[Any]
    type: str
    thread: int | None = None
    running: bool = False
    closed: bool = False
    debug: bool = False
    ready: int | None = None
    timers: int | None = None
    idle: bool = False
    guessed: bool = False


class LoopBook:
    """The loops of this process that are not the console's own.

    Holds them weakly. May be used from any thread.
    """

    def __init__(self) -> None:
        self._numbers = Numbers()
        self._ignored: list[weakref.ref[Any]] = []
        # Loops without Python frames: where their thread stands when they are idle.
        self._doors: dict[int, tuple[int, int, int]] = {}

    def ignore(self, loop: Any) -> None:
        """Never count ``loop``: it is the console's own."""
        # No new list: two threads may do this at once.
        self._ignored.append(weakref.ref(loop))
        for known in [known for known in self._ignored if known() is None]:
            with contextlib.suppress(ValueError):
                self._ignored.remove(known)

    def ignores(self, loop: Any) -> bool:
        """True for a loop that is the console's own."""
        return any(known() is loop for known in self._ignored)

    def forked(self) -> None:
        """In a forked child: a loop that forked is the parent's, and never goes on here."""
        here = threading.get_ident()
        for fact in self.find():
            loop = fact.reference()
            if fact.thread == here and loop is not None:
                self.ignore(loop)

    def note(self, loop: Any) -> int:
        """Remember a loop that was met elsewhere.

        Returns:
            Its number, or 0 for a loop that is ignored or can't be referred to weakly.
        """
        if loop is None or any(known() is loop for known in self._ignored):
            return 0
        return self._numbers.of(loop)

    def loop(self, number: int) -> Any:
        """The loop with that number, or None when there is none (any more)."""
        return next((loop for known, loop in self._numbers.live() if known == number), None)

    def learn_door(self, number: int, thread: int, frame: int, instruction: int) -> None:
        """Remember where a loop without Python frames was entered.

        Args:
            number: The loop.
            thread: Ident of the thread that runs it.
            frame: ``id()`` of the frame that a callback of this loop was called from.
            instruction: ``f_lasti`` of that frame.
        """
        self._doors[number] = (thread, frame, instruction)

    def door(self, number: int) -> int:
        """``id()`` of the frame that entered a loop without Python frames, or 0."""
        return self._doors.get(number, (0, 0, 0))[1]

    def find(self) -> list[LoopFact]:
        """Look for loops and tell about every one that still exists, oldest first."""
        frames = thread_frames()
        try:
            return self._find(frames)
        finally:
            # One of them is an ancestor of this very frame: a cycle that would keep
            # every thread's locals until the next collection.
            frames.clear()

    def _find(self, frames: dict[int, FrameType]) -> list[LoopFact]:
        met: dict[int, Run] = {}
        for run in [*runs(frames), *foreign_runs(frames)]:
            met.setdefault(id(run.loop), run)
            self.note(run.loop)
        current = getattr(_tasks, "_current_tasks", None)
        if type(current) is dict:
            for loop in list(current):
                self.note(loop)
        facts = []
        for number, loop in self._numbers.live():
            if any(known() is loop for known in self._ignored):
                continue  # was noted before it was ignored
            try:
                facts.append(self._fact(number, loop, met.get(id(loop)), frames))
            except Exception:
                facts.append(LoopFact(number, weakref.ref(loop), type_name(loop)))
        for number in set(self._doors) - {fact.number for fact in facts if fact.running}:
            self._doors.pop(number, None)
        return facts

    def _fact(
        self, number: int, loop: Any, run: Run | None, frames: dict[int, FrameType]
    ) -> LoopFact:
        kind = type(loop)
        name = f"{kind.__module__}.{kind.__qualname__}"
        reference = weakref.ref(loop)
        if not isinstance(loop, asyncio.BaseEventLoop):
            closed, running = bool(loop.is_closed()), bool(loop.is_running())
            debug = bool(loop.get_debug())
            if not running:
                return LoopFact(number, reference, name, closed=closed, debug=debug)
            thread, idle = self._foreign(number, loop, run, frames)
            guessed = run is not None and run.guessed and number not in self._doors
            return LoopFact(
                number, reference, name, thread, True, closed, debug, idle=idle, guessed=guessed
            )
        thread = attribute(loop, "_thread_id")
        if frames and thread not in frames:
            thread = None  # of a thread that a fork() left behind
        ready, scheduled = attribute(loop, "_ready"), attribute(loop, "_scheduled")
        cancelled = attribute(loop, "_timer_cancelled_count", 0)
        return LoopFact(
            number,
            reference,
            name,
            thread,
            running=thread is not None,
            closed=bool(attribute(loop, "_closed")),
            debug=bool(attribute(loop, "_debug")),
            ready=len(ready) if ready is not None else None,
            timers=max(0, len(scheduled) - cancelled) if type(scheduled) is list else None,
            idle=run is not None and run.idle and thread is not None,
        )

    def _foreign(
        self, number: int, loop: Any, run: Run | None, frames: dict[int, FrameType]
    ) -> tuple[int | None, bool]:
        """Thread and idleness of a loop whose ``run_forever`` has no Python frame.

        A callback written in C that blocks can't be told from an idle loop here.
        """
        task = futures.current(loop)
        if run is not None and not (run.guessed and number in self._doors):
            return run.thread, run.idle and task is None
        if number in self._doors:
            thread, door, instruction = self._doors[number]
            top = frames.get(thread)
            if top is not None:
                at_door = id(top) == door and top.f_lasti == instruction
                return thread, at_door and task is None
        return (None if task is None else _thread_of(task, frames)), False


def _thread_of(task: Any, frames: dict[int, FrameType]) -> int | None:
    """The thread whose stack has the frame of a task's coroutine."""
    coroutine = futures.coroutine(task)
    wanted = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
    for thread, top in frames.items():
        frame: FrameType | None = top
        for _ in range(DEPTH):
            if frame is None:
                break
            if frame is wanted and wanted is not None:
                return thread
            frame = frame.f_back
    return None


def waiting_callbacks(loop: Any, most: int = 10_000) -> int | None:
    """Callbacks that a loop could run now if it got to it: ready ones and due timers.

    Args:
        loop: The loop.
        most: Timers that are looked at.

    Returns:
        Their number, or None when the loop doesn't tell.
    """
    if not isinstance(loop, asyncio.BaseEventLoop):
        return None
    try:
        ready, scheduled = attribute(loop, "_ready"), attribute(loop, "_scheduled")
        now = time.monotonic()
        if method_code(type(loop), "time") is not _base.BaseEventLoop.time.__code__:
            return len(ready)
        due = 0
        for timer in scheduled[:most]:
            due += timer._when <= now and not timer._cancelled  # noqa: SLF001 - no public way
        return len(ready) + due
    except Exception:
        return None
