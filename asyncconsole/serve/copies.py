"""Asking frozen copies of the program, from the side loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

_BEAT = 0.01
"""Seconds between looks at what the copy has sent."""


async def ask(
    job: Callable[[], Any], deadline: float, most_memory: int | None = None
) -> tuple[bytes, float]:
    """What a copy answers, and the seconds that the program stood still for it.

    Args:
        job: See `asyncconsole.capture.frozen.Job`.
        deadline: Seconds for the copy.
        most_memory: Bytes above which the program is not copied; None for the default.

    Raises:
        NoCopyError: There is no copy, or it could not answer.
    """
    copy = await _start(job, deadline, most_memory)
    answer = bytearray()
    try:
        while (pieces := copy.read()) is not None:
            answer += b"".join(pieces)
            if not pieces:
                await asyncio.sleep(_BEAT)
    finally:
        copy.close()
    return bytes(answer), copy.pause


async def _start(job: Callable[[], Any], deadline: float, most_memory: int | None) -> Any:
    """A copy, as soon as the one of another session is gone."""
    from asyncconsole.capture import frozen  # noqa: PLC0415 - only when asked for

    most = frozen.MOST_MEMORY if most_memory is None else most_memory
    until = time.monotonic() + frozen.PATIENCE
    while True:
        try:
            return frozen.Copy(job, deadline, most_memory=most)
        except frozen.BusyError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(_BEAT)
