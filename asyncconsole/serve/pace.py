"""Getting a turn in a program that never sleeps.

A loop with many short turns gives the GIL up and takes it back so quickly that a
waiting thread's 5 ms start anew each time: the side thread would wait seconds. While
someone waits for an answer, threads may ask for the GIL sooner.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from asyncconsole.stall import clocks

_BRISK = 5e-6
"""Seconds; `sys.setswitchinterval` while somebody waits."""

_lock = threading.Lock()
_waiting = 0
_before = 0.0


@contextmanager
def brisk() -> Iterator[None]:
    """Lower the switch interval inside; the last one out restores it."""
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _waiting, _before  # noqa: PLW0603 - the interval is one for the process
    with _lock:
        _waiting += 1
        if _waiting == 1:
            _before = sys.getswitchinterval()
            if _before > _BRISK:
                sys.setswitchinterval(_BRISK)


def _leave() -> None:
    global _waiting  # noqa: PLW0603 - as above
    with _lock:
        _waiting -= 1
        if _waiting:
            return
        clocks.hurried()
        # Only what is still ours: the program may have set its own meanwhile.
        if sys.getswitchinterval() <= _BRISK * 2:
            sys.setswitchinterval(_before)


def forked() -> None:
    """In a forked child: nobody waits for anything here."""
    global _lock, _waiting  # noqa: PLW0603 - the lock may have been held at the fork
    _lock = threading.Lock()
    if _waiting:
        _waiting = 0
        sys.setswitchinterval(_before)
