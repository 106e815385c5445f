"""One look at the stack of a thread that runs an event loop."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncconsole.capture.code import is_own
from asyncconsole.capture.running import entries, thread_frames
from asyncconsole.model import Frame
from asyncconsole.stall.call import calling

if TYPE_CHECKING:
    from types import CodeType

DEEPEST = 200
"""Frames of a stack that are kept, counted from the innermost."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The stack of a thread at one moment.

    Attributes:
        stack: Outermost frame first.
        frame: The program's own innermost frame within the loop's turn, else the
            innermost of the turn.
        call: What ``frame`` was calling, or "".
        position: Where exactly the innermost frame was: file, line, instruction.
    """

    stack: tuple[Frame, ...]
    frame: Frame | None
    call: str
    position: tuple[str, int, int]


def take(thread: int, door: int = 0) -> Sample | None:
    """Read the stack of a thread.

    Args:
        thread: Its ident.
        door: ``id()`` of the frame that entered a loop without Python frames.

    Returns:
        The sample, or None when the thread is gone or its stack can't be read.
    """
    frame = thread_frames().get(thread)
    if frame is None:
        return None
    # First all that changes while the thread runs: a frame that ends loses its caller.
    seen: list[tuple[CodeType, int, int, int]] = []
    while frame is not None and len(seen) < DEEPEST:
        seen.append((frame.f_code, frame.f_lasti, frame.f_lineno or 0, id(frame)))
        frame = frame.f_back
    codes = entries()
    culprit: Frame | None = None
    innermost: Frame | None = None
    call = ""
    in_turn = True
    stack: list[Frame] = []
    for code, instruction, line, identity in seen:
        if code in codes or identity == door:
            in_turn = False
        one = describe(code, line)
        if in_turn and innermost is None:
            innermost = one
        if in_turn and culprit is None and one.own:
            culprit = one
            call = calling(code, instruction, line)
        stack.append(one)
    code, instruction, line, _ = seen[0]
    position = (code.co_filename, line, instruction)
    return Sample(tuple(reversed(stack)), culprit or innermost, call, position)


def describe(code: CodeType, line: int) -> Frame:
    """A frame of that code as a plain value."""
    kind = "call"
    if code.co_flags & inspect.CO_COROUTINE:
        kind = "coroutine"
    elif code.co_flags & inspect.CO_ASYNC_GENERATOR:
        kind = "async_generator"
    elif code.co_flags & inspect.CO_GENERATOR:
        kind = "generator"
    name = getattr(code, "co_qualname", code.co_name)  # 3.11+
    return Frame(code.co_filename, line, name, is_own(code.co_filename), kind)
