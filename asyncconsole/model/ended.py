"""A task that has ended, as far as it is remembered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from asyncconsole.model.task import Frame

Outcome = Literal["returned", "raised", "cancelled", "destroyed", "gone"]
"""``destroyed``: garbage collected while it was pending. ``gone``: nobody saw how it ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One task that has ended.

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
        raised: Where the exception was raised, innermost own frame; where it waited, of one
            that was destroyed; None when unknown.
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


def joined(records: Iterable[Iterable[Ended]], complaints: Iterable[Ended] = ()) -> list[Ended]:
    """What several sources tell of ended tasks, each task once.

    Args:
        records: By task; the first that knows how a task ended has precedence.
        complaints: What asyncio's log told. Of a task that a record knows to be gone and no
            more, it tells the rest if name and coroutine are the same.
    """
    found: dict[int, Ended] = {}
    for items in records:
        for item in items:
            known = found.get(item.id)
            if known is None or known.outcome == "gone":
                found[item.id] = item
    vague: dict[tuple[str, str], list[Ended]] = {}
    for item in found.values():
        if item.outcome == "gone":
            vague.setdefault((item.name, item.coro), []).append(item)
    known_ends = {(item.name, item.coro, item.exception) for item in found.values()}
    for item in complaints:
        those = vague.get((item.name, item.coro))
        if those:
            number = those.pop().id
            found[number] = replace(item, id=number)
        elif item.outcome == "destroyed" or (
            (item.name, item.coro, item.exception) not in known_ends
        ):
            found[item.id] = item
    return sorted(found.values(), key=lambda item: item.ended)
