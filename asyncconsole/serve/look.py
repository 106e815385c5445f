"""`snapshot` and `diagnose`: the console's eyes as plain functions, with or without a console."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time

from asyncconsole.capture import hop
from asyncconsole.capture.program import shared
from asyncconsole.capture.slices import finish
from asyncconsole.diagnose import confirm, obscure
from asyncconsole.model import Diagnosis, Gap, Snapshot
from asyncconsole.model.autopsy import Autopsy
from asyncconsole.serve import extensions

SETTLE = 0.05
"""Seconds between two captures that confirm each other."""


def snapshot() -> Snapshot:
    """The program as it is now: loops, tasks, primitives, threads.

    Reads from the calling thread and blocks it meanwhile (about 20 µs a task); needs no
    running console. Works in any thread, also inside a running loop. What installed libraries
    ship is loaded first, if there is any that has not been.

    Returns:
        Plain data; what could not be read is among its ``gaps``. Stalls are in it where a
        console runs in this process, for that is what watches the loops.
    """
    extensions.load_due()
    return _look()


def _look() -> Snapshot:
    """The same with what is loaded already: a dump in bad times imports nobody's code."""
    found = finish(hop.capture(shared()))
    console = sys.modules.get("asyncconsole.serve.console")
    stalls = console.stalls() if console is not None else ()
    blocked = {stall.loop: stall.duration for stall in stalls if stall.ongoing}
    loops = (
        dataclasses.replace(loop, blocked=blocked.get(loop.id, loop.blocked))
        for loop in found.loops
    )
    return dataclasses.replace(found, stalls=stalls, loops=tuple(loops))


def diagnose(snapshot: Snapshot | None = None) -> Diagnosis:
    """What is wrong, worst first.

    Args:
        snapshot: What to judge; None looks at the program twice, so that a deadlock can be
            confirmed, and asks a frozen copy of it in between where only that can tell
            (not in the thread of a running loop, which would stand still meanwhile). A
            single snapshot proves nothing: a deadlock in it is called a suspect.

    Returns:
        The findings; none for a healthy program.
    """
    extensions.load_due()
    if snapshot is not None:
        return confirm(snapshot)
    return examine()[2]


def examine() -> tuple[Snapshot, Snapshot, Diagnosis]:
    """Two looks at the program, the first one whole, and what they prove.

    Returns:
        The first look, and the second, which the diagnosis is about.
    """
    first = seen = _look()
    if obscure(first):
        seen = dataclasses.replace(first, autopsy=_autopsy())
    time.sleep(SETTLE)
    second = dataclasses.replace(_look(), autopsy=seen.autopsy)
    return first, second, confirm(seen, second)


def _autopsy() -> Autopsy:
    """What a frozen copy tells, from any thread that may be kept waiting."""
    from asyncconsole.serve import autopsy  # noqa: PLC0415 - when asked for

    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the public one raises outside of a loop
        why = "called in the thread of a loop, which would stand still; call it in another thread"
        return Autopsy(gaps=(Gap("what can wake the tasks", why),))
    return autopsy.take_here(shared())
