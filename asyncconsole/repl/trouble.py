"""Where a thread stands and what blocks a loop, in words."""

from __future__ import annotations

import os
import sys

from asyncconsole.commands.port import ReplTarget


def position(thread: int) -> str:
    """`` at bank.py:12``, where a thread stands; "" when it can't be looked at."""
    has_gil = getattr(sys, "_is_gil_enabled", None)
    if has_gil is not None and not has_gil():
        return ""  # another thread's frame may only be read under the GIL
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - the documented way to other threads' stacks
    if frame is None:
        return ""
    return f" at {os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"  # noqa: PTH119 - pathlib would be one more import


def describe(target: ReplTarget, loop: int) -> str:
    """`` in bank.py:12 read (time.sleep)`` of what blocks a loop now, or ""."""
    for stall in reversed(target.stalls()):
        if stall.loop == loop and stall.ongoing and stall.frame is not None:
            frame = stall.frame
            call = f" ({stall.call})" if stall.call else ""
            name = os.path.basename(frame.file)  # noqa: PTH119 - pathlib would be one more import
            return f" in {name}:{frame.line} {frame.function}{call}"
    return ""


async def blocked(target: ReplTarget, loop: int) -> str:
    """``1 has been blocked for 4.1 s in ...``, or "" when the loop is not."""
    snapshot = await target.snapshot("loops")
    for one in snapshot.loops:
        if one.id == loop and one.blocked is not None:
            return f"{loop} has been blocked for {one.blocked:.1f} s{describe(target, loop)}"
    return ""
