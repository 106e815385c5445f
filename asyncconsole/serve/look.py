"""`snapshot` and `diagnose`: the console's eyes as plain functions, with or without a console."""

from __future__ import annotations

import time

from asyncconsole.capture import hop
from asyncconsole.capture.program import shared
from asyncconsole.capture.slices import finish
from asyncconsole.diagnose import confirm
from asyncconsole.model import Diagnosis, Snapshot

SETTLE = 0.05
"""Seconds between two captures that confirm each other."""


def snapshot() -> Snapshot:
    """The program as it is now: loops, tasks, primitives, threads.

    Reads from the calling thread and blocks it meanwhile (about 20 µs a task); needs no
    running console. Works in any thread, also inside a running loop.

    Returns:
        Plain data; what could not be read is among its ``gaps``.
    """
    return finish(hop.capture(shared()))


def diagnose(snapshot: Snapshot | None = None) -> Diagnosis:
    """What is wrong, worst first.

    Args:
        snapshot: What to judge; None looks at the program twice, 50 ms apart, so that
            a deadlock can be confirmed. A single snapshot proves nothing: a deadlock
            in it is called a suspect.

    Returns:
        The findings; none for a healthy program.
    """
    if snapshot is not None:
        return confirm(snapshot)
    first = _look()
    time.sleep(SETTLE)
    return confirm(first, _look())


_look = snapshot
