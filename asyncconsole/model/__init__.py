"""The nouns. Plain frozen data: no event loop, no I/O, no live object."""

from asyncconsole.model.errors import (
    ConsoleError,
    DeadlineError,
    TargetMissingError,
    UnknownItemError,
    UsageError,
)
from asyncconsole.model.finding import Diagnosis, Finding, ResourceRef, TaskRole
from asyncconsole.model.loop import Loop, Thread
from asyncconsole.model.resource import Holder, Resource, Waiter
from asyncconsole.model.result import Column, Flow, Line, Part, Result, Span, Table, Text, line
from asyncconsole.model.snapshot import Gap, Snapshot
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
    "Line",
    "Loop",
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
    "Thread",
    "UnknownItemError",
    "UsageError",
    "Wait",
    "Waiter",
    "line",
]
