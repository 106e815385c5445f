"""A task that has ended, as tracking remembers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asyncconsole.model.task import Frame

Outcome = Literal["returned", "raised", "cancelled"]


@dataclass(frozen=True, slots=True)
class Ended:
    """One task that has ended while tasks were tracked.

    Attributes:
        id: The number that ``ps`` showed, or a new one when it was never shown.
        name: Its name.
        coro: Name of its outermost coroutine.
        outcome: How it ended.
        result: What it returned, bounded; the type alone for anything but plain values.
        exception: Type and message of what it raised, bounded; "" otherwise.
        cancelled_by: Who cancelled it: ``console``; ``asyncio.run, at its end``; ``unknown``;
            "" when nobody did.
        created: ISO 8601 UTC; None when it was created before tracking began.
        ended: ISO 8601 UTC.
        lasted: Seconds it lived; None when that is not known.
        creator: Name of the task that created it; "" when unknown or none.
        creation: Where it was created, innermost first.
        raised: Where the exception was raised, innermost own frame; None when unknown.
        exact: False when it ended at some moment before ``ended``, and so lived for less
            than ``lasted``: one of a rush of tasks.
    """

    id: int
    name: str
    coro: str
    outcome: Outcome
    result: str
    exception: str
    cancelled_by: str
    created: str | None
    ended: str
    lasted: float | None
    creator: str = ""
    creation: tuple[Frame, ...] = ()
    raised: Frame | None = None
    exact: bool = True
