"""Facts about the process itself: what runs, since when, its threads."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from asyncconsole.capture.drafts import call_frame
from asyncconsole.capture.objects import attribute
from asyncconsole.capture.running import thread_frames
from asyncconsole.model import Frame, Thread

_imported = time.time()
OWN_THREADS = "asyncconsole"
"""How the names of the console's own threads begin."""

DEEPEST = 500
"""Frames of one thread that a snapshot keeps."""


def program() -> str:
    """What runs, in a word: ``bank.py``, ``-m shop``, or the interpreter's name."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and getattr(spec, "name", None):
        name = str(spec.name)
        return name.removesuffix(".__main__")
    argv = sys.argv[0] if sys.argv else ""
    return Path(argv).name if argv and argv not in {"-c", "-m"} else Path(sys.executable).name


def started() -> float:
    """When the process began, as a Unix time; the import's time where unknown."""
    try:
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123 - pathlib opens it no better
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        with open("/proc/stat", "rb") as file:  # noqa: PTH123 - same
            boot = next(int(line.split()[1]) for line in file if line.startswith(b"btime "))
        return boot + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration, AttributeError):
        return _imported


def threads(loops: dict[int, int]) -> list[Thread]:
    """Every Python thread with its stack, without the console's own.

    Args:
        loops: Loop ids by thread ident.
    """
    # A program's Thread class may have properties of its own: none of them is asked.
    known = {attribute(thread, "_ident"): thread for thread in threading.enumerate()}
    found = []
    for ident, top in thread_frames().items():
        thread = known.get(ident)
        name = attribute(thread, "_name") if thread is not None else ""
        name = name if type(name) is str else ""
        if name.startswith(OWN_THREADS):
            continue
        frames: list[Frame] = []
        frame: Any = top
        while frame is not None and len(frames) < DEEPEST:
            frames.append(call_frame(frame))
            frame = frame.f_back
        found.append(
            Thread(
                ident,
                name,
                daemon=attribute(thread, "_daemonic") is True,
                native_id=_whole(attribute(thread, "_native_id")),
                loop=loops.get(ident),
                frames=tuple(reversed(frames)),
            )
        )
    return found


def _whole(found: Any) -> int | None:
    return found if type(found) is int else None
