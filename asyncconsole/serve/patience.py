"""Waiting, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

_GRACE = 1.0


async def within(seconds: float, work: Awaitable[T]) -> T:
    """What ``work`` gives, if it does so in time; it is cancelled otherwise.

    ``asyncio.wait_for`` before 3.12 loses a cancellation that arrives in the moment in
    which the inner wait is done (bpo-37658), and waits without bound for an inner task
    that doesn't take its own; this does neither.

    Raises:
        asyncio.TimeoutError: It did not.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_GRACE)
    finally:
        task.cancel()
        # Also of one that is done: who waits may have been cancelled at that very moment.
        task.add_done_callback(forget)
    if not task.done() or task.cancelled():
        raise asyncio.TimeoutError
    return task.result()


def forget(task: asyncio.Future[T]) -> None:
    """Read a given-up task's exception, so that asyncio doesn't report it as lost."""
    if not task.cancelled():
        task.exception()
