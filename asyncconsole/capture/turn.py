"""When the turn of a loop began that its thread is in now."""

from __future__ import annotations

import asyncio
from asyncio import base_events as _base
from typing import TYPE_CHECKING, Any

from asyncconsole.capture.objects import attribute, method_code
from asyncconsole.capture.running import DEPTH, entries, thread_frames

if TYPE_CHECKING:
    from types import FrameType

CALLBACK_DEPTH = 4
"""Frames between a callback and the turn that calls it, at most."""


def turn_began(loop: Any, thread: int | None) -> float | None:
    """Monotonic time at which a loop's thread left its last wait for events.

    None when the loop doesn't tell, as uvloop.
    """
    try:
        if not isinstance(loop, asyncio.BaseEventLoop):
            return None
        return _turn_below(thread_frames().get(thread or 0), loop, DEPTH)
    except Exception:
        return None


def turn_of_callback(frame: FrameType) -> float | None:
    """Monotonic time at which the turn began that has called a callback.

    Args:
        frame: The frame that called the callback, in the loop's own thread.

    Returns:
        The time, or None when the loop doesn't tell.
    """
    try:
        return _turn_below(frame, None, CALLBACK_DEPTH)
    except Exception:
        return None


def _turn_below(frame: FrameType | None, loop: Any, depth: int) -> float | None:
    """When the innermost turn on a stack began: of that loop, or of any for None."""
    codes = entries()
    for _ in range(depth):
        if frame is None:
            return None
        if codes.get(frame.f_code) == "turn":
            owner, began = turn_at(frame)
            if owner is loop or loop is None:
                return began
        frame = frame.f_back
    return None


def turn_at(frame: FrameType) -> tuple[Any, float | None]:
    """The loop of a turn, and when that began as in `turn_began`.

    Args:
        frame: Of the turn.
    """
    local = frame.f_locals
    owner, end = local.get("self"), local.get("end_time")
    if type(end) is not float:
        return owner, None
    if method_code(type(owner), "time") is not _base.BaseEventLoop.time.__code__:
        return owner, None  # not the monotonic clock
    return owner, end - attribute(owner, "_clock_resolution", 0.0)
