"""Every event loop of the process, and the thread each one runs in.

Python keeps no list of loops. They are found on the stacks of the threads: the frames
that run a loop are the standard library's own, and hold it in a local variable. uvloop's
``run_forever`` has no Python frame; its loops are found through the ``Runner`` that runs
them, through the task they execute, or because `LoopBook.note` was told of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
import types
import weakref
from asyncio import base_events as _base
from asyncio import runners as _runners
from asyncio import tasks as _tasks
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.code import is_own
from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.objects import Types, attribute, method_code, type_name

UVLOOP_DEPTH = 100
"""Frames of one thread in which a uvloop loop is looked for."""

DEPTH = 10_000
"""Frames of one thread that are looked at; deeper ones hide the loop that runs them."""

_ORIGINAL = {
    _base.BaseEventLoop.run_forever.__code__: "loop",
    _base.BaseEventLoop._run_once.__code__: "turn",  # type: ignore[attr-defined]  # noqa: SLF001 - a turn starts there
}


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


@dataclass(frozen=True, slots=True)
class _Run:
    """A loop met on a stack, for certain or ``guessed``."""

    loop: Any
    thread: int
    idle: bool
    guessed: bool = False


def has_gil() -> bool:
    """False on a free-threaded Python that runs without the GIL."""
    asked = getattr(sys, "_is_gil_enabled", None)
    return asked is None or bool(asked())


def thread_frames() -> dict[int, FrameType]:
    """The innermost frame of each thread, by ident. Let go of it soon.

    Empty on a build that runs without the GIL: there, walking the stack of a thread that
    runs can crash the process.
    """
    if not has_gil():
        return {}
    return sys._current_frames()  # noqa: SLF001 - the documented way to other threads' stacks


def entries() -> dict[CodeType, str]:
    """Code objects between which a loop's callbacks run, and what each one is.

    ``loop`` has the loop in its local ``self`` (``loop`` in 3.10's ``asyncio.run``, which
    is a ``run``), ``turn`` runs one turn, ``runner`` has a ``Runner`` in ``self``. Asked
    anew each time: libraries such as nest_asyncio patch these methods.
    """
    found = dict(_ORIGINAL)
    runner = getattr(_runners, "Runner", None)
    for owner, name, kind in (
        (_base.BaseEventLoop, "run_forever", "loop"),
        (_base.BaseEventLoop, "_run_once", "turn"),
        (runner, "run", "runner"),
        (_runners if runner is None else None, "run", "run"),
    ):
        code = getattr(getattr(owner, name, None), "__code__", None)
        if type(code) is CodeType:
            found.setdefault(code, kind)
    return found


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
        runs: dict[int, _Run] = {}
        for run in [*_runs(frames), *_foreign_runs(frames)]:
            runs.setdefault(id(run.loop), run)
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
                facts.append(self._fact(number, loop, runs.get(id(loop)), frames))
            except Exception:
                facts.append(LoopFact(number, weakref.ref(loop), type_name(loop)))
        for number in set(self._doors) - {fact.number for fact in facts if fact.running}:
            self._doors.pop(number, None)
        return facts

    def _fact(
        self, number: int, loop: Any, run: _Run | None, frames: dict[int, FrameType]
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
        self, number: int, loop: Any, run: _Run | None, frames: dict[int, FrameType]
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


def _runs(frames: dict[int, FrameType]) -> list[_Run]:
    """Loops on the stacks of all threads, outer ones after inner ones."""
    codes = entries()
    found: list[_Run] = []
    for thread, top in frames.items():
        frame: FrameType | None = top
        callee: FrameType | None = None
        idle = False
        turning = False
        for _ in range(DEPTH):
            if frame is None:
                break
            kind = codes.get(frame.f_code)
            if kind == "turn" and not turning:
                turning = True
                idle = callee is not None and _waits(top, callee)
            elif kind is not None and kind != "turn":
                loop = _loop_of(frame, kind)
                if isinstance(loop, asyncio.BaseEventLoop):
                    if kind == "loop":
                        found.append(_Run(loop, thread, idle))
                        idle = turning = False
                elif loop is not None:
                    found.append(_Run(loop, thread, frame is top))
            callee, frame = frame, frame.f_back
    return found


def _foreign_runs(frames: dict[int, FrameType]) -> list[_Run]:
    """Uvloop's loops that are run without a ``Runner``, on 3.14 and later.

    Up to 3.13 they are among asyncio's current tasks. Here, whoever called
    ``run_until_complete`` has the loop in a local variable or attribute; reading locals
    copies nothing since 3.13.
    """
    if sys.version_info < (3, 14) or "uvloop" not in sys.modules:
        return []
    found: list[_Run] = []
    for thread, top in frames.items():
        frame: FrameType | None = top
        for _ in range(UVLOOP_DEPTH):
            if frame is None:
                break
            started = frame.f_code is _STARTED
            for value in list(frame.f_locals.values()):
                held = [value, attribute(value, "_loop"), attribute(value, "loop")]
                if started:  # Thread(target=loop.run_forever)
                    target = attribute(value, "_target")
                    held.append(target.__self__ if type(target) in _BOUND else None)
                for loop in held:
                    if uvloop.is_loop(loop) and loop.is_running():
                        # Else it may be one that another thread runs.
                        calls = started or not _RUNS.isdisjoint(frame.f_code.co_names)
                        found.append(_Run(loop, thread, frame is top, guessed=not calls))
            frame = frame.f_back
    return sorted(found, key=lambda run: run.guessed)


_BOUND = Types(types.BuiltinMethodType, types.MethodType)
_STARTED = threading.Thread.run.__code__
_RUNS = frozenset({"run_until_complete", "run_forever"})


def _waits(top: FrameType, callee: FrameType) -> bool:
    """True when a turn has called a selector and the program's code is not above it.

    A signal handler may run on top of the selector's frame.
    """
    if callee.f_code.co_name != "select":
        return False
    frame: FrameType | None = top
    while frame is not None and frame is not callee:
        if is_own(frame.f_code.co_filename):
            return False
        frame = frame.f_back
    return True


def _loop_of(frame: FrameType, kind: str) -> Any:
    """The loop that a frame of the standard library runs."""
    with contextlib.suppress(Exception):
        local = frame.f_locals
        if kind == "run":
            return local.get("loop")
        owner = local.get("self")
        return owner if kind == "loop" else attribute(owner, "_loop")
    return None


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
