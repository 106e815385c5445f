"""Reading a big program without making its garbage collector run over and over.

A capture of 100,000 tasks makes some million objects. Each would count towards the
next collection, and a full one over a big heap stops every thread for longer than
the whole capture may. So automatic collection rests while a capture runs, for a few
seconds at the most; nothing that the program does by itself depends on it.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 15.0
"""Seconds after which collection is on again, finished or not. Reading takes two on a
machine that has time; on one that has none, a full collection now would make it worse."""

YOUNG = 5_000
"""New objects that the collector passes in a millisecond or two."""

_lock = threading.Lock()
_readers = 0
_since = 0.0
_resting = False


@contextmanager
def quiet() -> Iterator[None]:
    """Let automatic collection rest inside; the last one out wakes it."""
    global _readers, _since, _resting  # noqa: PLW0603 - the collector is one for the process
    with _lock:
        _readers += 1
        if _readers == 1:
            _since = time.monotonic()
            _resting = gc.isenabled()
            if _resting:
                gc.disable()
    try:
        yield
    finally:
        with _lock:
            _readers -= 1
            if _readers == 0:
                _wake()


def check() -> None:
    """Called between slices: wakes the collector when it has rested too long."""
    if _resting and time.monotonic() - _since > LONGEST:
        with _lock:
            _wake()


def sweep() -> None:
    """Called where what is new will stay: the collector passes it while it is little.

    Else it would be passed in one go when collection is on again.
    """
    if _resting and gc.get_count()[0] > YOUNG:
        gc.collect(1)


def _wake() -> None:
    """Turn collection on again, if it was turned off here."""
    global _resting  # noqa: PLW0603 - as above
    if _resting:
        _resting = False
        gc.enable()


def forked() -> None:
    """In a forked child: no capture runs here."""
    global _lock, _readers  # noqa: PLW0603 - the lock may have been held at the fork
    _lock = threading.Lock()
    _readers = 0
    _wake()
