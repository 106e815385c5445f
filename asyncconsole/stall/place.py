"""Where callbacks and suspended coroutines are, as places in code. Cheap: loops wait for it."""

from __future__ import annotations

import functools
import sys
from types import CodeType, CoroutineType, FunctionType, MethodType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.awaited import AWAITED, frame_of
from asyncconsole.capture.code import is_own
from asyncconsole.capture.objects import class_name
from asyncconsole.capture.records import Site
from asyncconsole.capture.running import DEPTH, entries, thread_frames

LEVELS = 64
"""Coroutines that await one another and are looked at."""

_WRAPPERS = {"TaskStepMethWrapper", "TaskWakeupMethWrapper"}
_STEPS = {"task_wakeup", "__step", "__wakeup"}


def code_of(callback: Any) -> CodeType | None:
    """The code of a callback that is a function, a method, or a partial of one."""
    for _ in range(4):
        if type(callback) is functools.partial:
            callback = callback.func
        elif type(callback) is MethodType:
            callback = callback.__func__
    return callback.__code__ if type(callback) is FunctionType else None


def steps(callback: Any) -> bool:
    """True for what makes a task go on; not for other methods of a task, such as ``cancel``."""
    if type(callback).__name__ in _WRAPPERS:
        return True
    try:
        own = futures.is_task(object.__getattribute__(callback, "__self__"))
    except AttributeError:
        return False
    return own and getattr(callback, "__name__", "") in _STEPS


def stepper_type() -> type | None:
    """The type of what starts a C task and what lets it go on after ``sleep(0)``."""
    name = "TaskStepMethWrapper"  # Modules/_asynciomodule.c; it has no public name
    return next((cls for cls in object.__subclasses__() if class_name(cls) == name), None)


def unstarted(coroutine: Any) -> bool:
    """True for a coroutine that has not begun."""
    if type(coroutine) is not CoroutineType or coroutine.cr_running:
        return False
    if sys.version_info >= (3, 11):
        return not coroutine.cr_suspended
    return coroutine.cr_frame is not None and coroutine.cr_frame.f_lasti < 0


def suspended(coroutine: Any) -> Site | None:
    """Where a coroutine waits: in the program's own innermost frame, else in the innermost.

    Returns:
        None when it has ended, runs, or can't be looked into.
    """
    found: Site | None = None
    innermost: Site | None = None
    step = coroutine
    for _ in range(LEVELS):
        frame = frame_of(step)
        if frame is None:
            break
        innermost = Site(frame.f_code, frame.f_lasti)
        if is_own(innermost.code.co_filename):
            found = innermost
        step = AWAITED[type(step)](step, frame)
    return found or innermost


def running(thread: int | None, door: int = 0) -> Site | None:
    """The program's own innermost frame in the turn of a loop that a thread is in, if any."""
    frame = thread_frames().get(thread or 0)
    codes = entries()
    for _ in range(DEPTH):
        if frame is None or frame.f_code in codes or id(frame) == door:
            return None
        if is_own(frame.f_code.co_filename):
            return Site(frame.f_code, frame.f_lasti)
        frame = frame.f_back
    return None
