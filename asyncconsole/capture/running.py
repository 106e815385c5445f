"""The frames of threads, and the event loops that run on them.

Python keeps no list of loops. The frames that run a loop are the standard library's own,
and hold it in a local variable.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import types
from asyncio import base_events as _base
from asyncio import runners as _runners
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from asyncconsole.capture.code import is_own
from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.objects import Types, attribute

UVLOOP_DEPTH = 100
"""Frames of one thread in which a uvloop loop is looked for."""

DEPTH = 10_000
"""Frames of one thread that are looked at; deeper ones hide the loop that runs them."""

_ORIGINAL = {
    _base.BaseEventLoop.run_forever.__code__: "loop",
    _base.BaseEventLoop._run_once.__code__: "turn",  # type: ignore[attr-defined]  # noqa: SLF001 - a turn starts there
}

_entries: tuple[tuple[CodeType | None, ...], dict[CodeType, str]] = ((), {})


@dataclass(frozen=True, slots=True)
class Run:
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
    global _entries  # noqa: PLW0603 - the last answer, for as long as it holds
    runner = getattr(_runners, "Runner", None)
    codes = (
        _code(_base.BaseEventLoop, "run_forever"),
        _code(_base.BaseEventLoop, "_run_once"),
        _code(_runners, "run") if runner is None else _code(runner, "run"),
    )
    if codes != _entries[0]:
        found = dict(_ORIGINAL)
        kinds = ("loop", "turn", "run" if runner is None else "runner")
        for code, kind in zip(codes, kinds, strict=True):
            if code is not None:
                found.setdefault(code, kind)
        _entries = codes, found
    return _entries[1]


def _code(owner: Any, name: str) -> CodeType | None:
    code = getattr(getattr(owner, name, None), "__code__", None)
    return code if type(code) is CodeType else None


def runs(frames: dict[int, FrameType]) -> list[Run]:
    """Loops on the stacks of all threads, outer ones after inner ones."""
    codes = entries()
    found: list[Run] = []
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
                idle = callee is not None and waits(top, callee)
            elif kind is not None and kind != "turn":
                loop = _loop_of(frame, kind)
                if isinstance(loop, asyncio.BaseEventLoop):
                    if kind == "loop":
                        found.append(Run(loop, thread, idle))
                        idle = turning = False
                elif loop is not None:
                    found.append(Run(loop, thread, frame is top))
            callee, frame = frame, frame.f_back
    return found


def turn_on(
    top: FrameType, codes: dict[CodeType, str]
) -> tuple[FrameType | None, FrameType | None]:
    """The innermost turn on a stack and what it has called; None where there is none.

    Args:
        top: The innermost frame of a thread.
        codes: `entries`.
    """
    frame: FrameType | None = top
    callee: FrameType | None = None
    for _ in range(DEPTH):
        if frame is None or codes.get(frame.f_code) == "turn":
            return frame, callee
        callee, frame = frame, frame.f_back
    return None, None


def waits(top: FrameType, callee: FrameType) -> bool:
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


def foreign_runs(frames: dict[int, FrameType]) -> list[Run]:
    """Uvloop's loops that are run without a ``Runner``, on 3.14 and later.

    Up to 3.13 they are among asyncio's current tasks. Here, whoever called
    ``run_until_complete`` has the loop in a local variable or attribute; reading locals
    copies nothing since 3.13.
    """
    if sys.version_info < (3, 14) or "uvloop" not in sys.modules:
        return []
    found: list[Run] = []
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
                        found.append(Run(loop, thread, frame is top, guessed=not calls))
            frame = frame.f_back
    return sorted(found, key=lambda run: run.guessed)


_BOUND = Types(types.BuiltinMethodType, types.MethodType)
_STARTED = threading.Thread.run.__code__
_RUNS = frozenset({"run_until_complete", "run_forever"})


def _loop_of(frame: FrameType, kind: str) -> Any:
    """The loop that a frame of the standard library runs."""
    with contextlib.suppress(Exception):
        local = frame.f_locals
        if kind == "run":
            return local.get("loop")
        owner = local.get("self")
        return owner if kind == "loop" else attribute(owner, "_loop")
    return None
