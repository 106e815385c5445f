"""The nouns. Plain frozen data: no event loop, no I/O, no live object.

Each name loads with its first use: a console that nobody talks to needs few of them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncconsole.model.errors import (
        ConsoleError,
        DeadlineError,
        TargetMissingError,
        UnknownItemError,
        UsageError,
    )
    from asyncconsole.model.finding import Diagnosis, Finding, ResourceRef, TaskRole
    from asyncconsole.model.gap import Gap
    from asyncconsole.model.loop import Loop, Thread
    from asyncconsole.model.order import Inversion, Order, OrderedLock
    from asyncconsole.model.resource import Holder, Resource, Waiter
    from asyncconsole.model.result import (
        Column,
        Flow,
        Line,
        Part,
        Result,
        Span,
        Table,
        Text,
        Texts,
        line,
    )
    from asyncconsole.model.snapshot import Snapshot
    from asyncconsole.model.stall import Stall
    from asyncconsole.model.task import Frame, Hold, Task, Wait

__all__ = [
    "Column",
    "ConsoleError",
    "DeadlineError",
    "Diagnosis",
    "Finding",
    "Flow",
    "Frame",
    "Gap",
    "Hold",
    "Holder",
    "Inversion",
    "Line",
    "Loop",
    "Order",
    "OrderedLock",
    "Part",
    "Resource",
    "ResourceRef",
    "Result",
    "Snapshot",
    "Span",
    "Stall",
    "Table",
    "TargetMissingError",
    "Task",
    "TaskRole",
    "Text",
    "Texts",
    "Thread",
    "UnknownItemError",
    "UsageError",
    "Wait",
    "Waiter",
    "line",
]

_HOMES = {
    "errors": (
        "ConsoleError",
        "DeadlineError",
        "TargetMissingError",
        "UnknownItemError",
        "UsageError",
    ),
    "finding": ("Diagnosis", "Finding", "ResourceRef", "TaskRole"),
    "loop": ("Loop", "Thread"),
    "order": ("Inversion", "Order", "OrderedLock"),
    "resource": ("Holder", "Resource", "Waiter"),
    "result": (
        "Column",
        "Flow",
        "Line",
        "Part",
        "Result",
        "Span",
        "Table",
        "Text",
        "Texts",
        "line",
    ),
    "gap": ("Gap",),
    "snapshot": ("Snapshot",),
    "stall": ("Stall",),
    "task": ("Frame", "Hold", "Task", "Wait"),
}


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - only when a name is first used

    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(f"{__name__}.{home}"), name)
            globals()[name] = value
            return value
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
