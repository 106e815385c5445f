"""Our lines in the program's log.

The program may be stuck *inside* its logging (a handler that writes to a full pipe
keeps the handler's lock). From the side thread we therefore never log ourselves: a
short-lived thread does, and nobody waits long for it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from asyncconsole.serve.patience import within

log = logging.getLogger("asyncconsole")
audit = logging.getLogger("asyncconsole.audit")

PATIENCE = 1.0
"""Seconds a command waits for its audit line."""

_on_their_way: set[threading.Thread] = set()
_LINES = 8
"""At most so many lines are on their way; more are dropped, as the log is stuck."""

_places = threading.BoundedSemaphore(_LINES)


def note(logger: logging.Logger, level: int, message: str, *args: Any, **options: Any) -> bool:
    """Log one line soon, from a thread of its own; never blocks or raises.

    Returns:
        False when it was dropped: the log is stuck, or wants nothing of that level.
    """
    return _send(logger, level, lambda: logger.log(level, message, *args, **options), None)


async def record(message: str, *args: Any) -> None:
    """Write an audit line, and wait a moment until it is written."""
    loop = asyncio.get_running_loop()
    written = asyncio.Event()

    def done() -> None:
        try:
            loop.call_soon_threadsafe(written.set)
        except RuntimeError:
            return  # the console has closed meanwhile

    def write() -> None:
        audit.warning(message, *args)

    if _send(audit, logging.WARNING, write, done):
        try:
            await within(PATIENCE, written.wait())
        except asyncio.TimeoutError:
            return


def _send(
    logger: logging.Logger,
    level: int,
    write: Callable[[], None],
    done: Callable[[], None] | None,
) -> bool:
    """Run ``write``, then ``done``, in a thread; False when that can't or needn't be."""
    if not logger.isEnabledFor(level) or not _places.acquire(blocking=False):
        return False

    places = _places

    def run() -> None:
        try:
            write()
        finally:
            places.release()
            _on_their_way.discard(threading.current_thread())
            if done is not None:
                done()

    thread = threading.Thread(target=run, name="asyncconsole log", daemon=True)
    _on_their_way.add(thread)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is shutting down, or has no thread to spare
        _on_their_way.discard(thread)
        _places.release()
        return False
    return True


def pending() -> bool:
    """True while lines are on their way."""
    return bool(_on_their_way)


def forked() -> None:
    """In a forked child: the threads that were writing are not here."""
    global _places  # noqa: PLW0603 - its lock may have been held at the fork
    _places = threading.BoundedSemaphore(_LINES)
    _on_their_way.clear()


def settle() -> None:
    """Wait a moment for lines that are on their way."""
    end = time.monotonic() + PATIENCE
    for thread in tuple(_on_their_way):
        if thread is not threading.current_thread():
            _join(thread, end)


def _join(thread: threading.Thread, end: float) -> None:
    """Wait for a thread, also for one that another thread is about to start."""
    while True:
        try:
            thread.join(max(0.0, end - time.monotonic()))
            return
        except RuntimeError:  # not yet started
            if thread not in _on_their_way or time.monotonic() >= end:
                return
            time.sleep(0.001)
