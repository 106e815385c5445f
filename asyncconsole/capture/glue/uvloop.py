"""uvloop keeps its timers and ready queue in C attributes; the garbage collector shows them.

Seen on uvloop 0.19 to 0.23: the loop refers to one set of ``TimerHandle`` and one deque
of ``Handle``; a handle refers to its callback and, when there are any, a tuple of
arguments.
"""

from __future__ import annotations

import gc
from typing import Any

from asyncconsole.capture.objects import class_name, module_of, mro, type_name

MODULE = "uvloop.loop"


def is_loop(thing: Any) -> bool:
    """True for uvloop's loops and their subclasses."""
    return any(
        class_name(base) == "Loop" and module_of(base) == MODULE for base in mro(type(thing))
    )


def is_timer(thing: Any) -> bool:
    """True for uvloop's timer handles."""
    return type_name(thing) == "TimerHandle" and module_of(type(thing)) == MODULE


def timers(loop: Any) -> list[Any]:
    """Timer handles that are scheduled."""
    found: list[Any] = []
    for item in gc.get_referents(loop):
        if type(item) is set:
            handles = list(item)
            if handles and all(is_timer(handle) for handle in handles):
                found += handles
    return found


def callback(handle: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a handle calls, and with which arguments."""
    held = gc.get_referents(handle)
    arguments = next((item for item in held if type(item) is tuple), ())
    return (held[0] if held else None), arguments
