"""What a suspended frame awaits, and never what one that executes would seem to.

At an exception that was thrown into a frame, while that executes, 3.12 and older take for
``cr_await`` a pointer from where its stack is not: the process crashes (``gen_throw`` and
``_PyGen_yf`` in ``Objects/genobject.c``; 3.13 asks for the state first). So nothing may ask
without having seen that the frame is suspended, and no other thread may have its turn in
between. 3.10 looks for one at each jump that is taken: hence none where the frame is
suspended. Later versions look at calls and loops only.

A frame that executes has a caller. ``ag_running`` doesn't tell: it is true from an
``asend()`` to the next yield, suspended or not.
"""

from __future__ import annotations

from collections.abc import Callable
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any, Final


def frame_of(owner: Any) -> FrameType | None:
    """The frame of a coroutine, generator or async generator; None for others, and the ended."""
    kind = type(owner)
    frame: FrameType | None
    if kind is CoroutineType:
        frame = owner.cr_frame
    elif kind is GeneratorType:
        frame = owner.gi_frame
    else:
        frame = owner.ag_frame if kind is AsyncGeneratorType else None
    return frame


def _by_coroutine(owner: Any, frame: FrameType) -> Any:
    return owner.cr_await if frame.f_back is None else None


def _by_generator(owner: Any, frame: FrameType) -> Any:
    return owner.gi_yieldfrom if frame.f_back is None else None


def _by_async_generator(owner: Any, frame: FrameType) -> Any:
    return owner.ag_await if frame.f_back is None else None


AWAITED: Final[dict[type, Callable[[Any, FrameType], Any]]] = {
    CoroutineType: _by_coroutine,
    GeneratorType: _by_generator,
    AsyncGeneratorType: _by_async_generator,
}
"""By the owner's type: called with it and its frame; None where nothing is awaited."""
