"""How long each thread has run."""

from __future__ import annotations

import contextlib
import time

from asyncconsole.capture.running import thread_frames


def ran() -> dict[int, int]:
    """CPU time of each living thread, in ns; empty where the system doesn't tell."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    frames = thread_frames() if clock_of is not None else {}
    found = {}
    try:
        for ident in frames:
            # The ident of a thread that has ended would crash in C: it comes from the list
            # of living threads, and nothing lets go of the GIL between there and here.
            with contextlib.suppress(OSError, OverflowError, ValueError):
                found[ident] = time.clock_gettime_ns(clock_of(ident))  # type: ignore[misc]
        return found
    finally:
        frames.clear()
