"""Which tasks were there and how they ended, with nothing patched.

The side thread looks at the program's tasks now and then. Whoever was there on one look and
has ended on the next is remembered as text. Of one whose object is gone by then only that is
known; but if asyncio complained of it (an exception that nobody read, a task that was
destroyed while it was pending), its log told more (`capture.complaints`).
"""

from __future__ import annotations

import time
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.code import short
from asyncconsole.capture.endings import End
from asyncconsole.capture.objects import type_name
from asyncconsole.capture.records import frame_at
from asyncconsole.model.ended import Ended
from asyncconsole.model.instant import stamp

MOST = 1000
"""Ended tasks that are remembered."""


class _Seen(weakref.ref):  # type: ignore[type-arg]  # weakref.ref can't be subscripted as a base
    """A weak reference to a task, with what must be known of it when it is gone."""

    __slots__ = ("coro", "name", "number")
    number: int
    name: str
    coro: str


class History:
    """The tasks that were there.

    Args:
        number: Gives the id of a live task.
        most: How many ended ones are remembered.

    Attributes:
        noted: How many have ended in all.
    """

    def __init__(self, number: Callable[[Any], int], most: int = MOST) -> None:
        self._number = number
        self._seen: dict[int, _Seen] = {}
        self._ring: deque[Ended] = deque(maxlen=most)
        self.noted = 0

    @property
    def dropped(self) -> int:
        """How many were forgotten to make room."""
        return self.noted - len(self._ring)

    def look(self, tasks: Iterable[Any]) -> None:
        """Note who is there, and who no longer is."""
        self.check()
        for task in tasks:
            number = self._number(task)
            if number and number not in self._seen:
                seen = _Seen(task)
                seen.number = number
                seen.name = futures.name(task)
                seen.coro = coroutine_name(futures.coroutine(task))
                self._seen[number] = seen

    def check(self) -> None:
        """Note who of those that were there has ended."""
        for number, seen in list(self._seen.items()):
            task = seen()
            if task is None:
                del self._seen[number]
                self._add(gone(seen.number, seen.name, seen.coro))
            elif futures.done(task):
                del self._seen[number]
                self._add(ended(task, number))
            del task

    def ended(self) -> list[Ended]:
        """Those that have ended, oldest first."""
        return list(self._ring)

    def clear(self) -> None:
        """Forget all."""
        self._seen.clear()
        self._ring.clear()
        self.noted = 0

    def _add(self, item: Ended) -> None:
        self.noted += 1
        self._ring.append(item)


def coroutine_name(coroutine: Any) -> str:
    """Qualified name of a coroutine, as people call it."""
    name = getattr(coroutine, "__qualname__", None) if _plain(coroutine) else None
    return short(name) if type(name) is str else type_name(coroutine)


def _plain(coroutine: Any) -> bool:
    return type(coroutine) in (types.CoroutineType, types.GeneratorType)


def ended(task: Any, number: int) -> Ended:
    """A task that has ended at some moment before now, as text."""
    end = End(task, number, None, exact=False)
    return Ended(
        id=number,
        name=end.name,
        coro=short(end.coro),
        outcome=end.outcome,
        result=end.result,
        exception=end.exception,
        cancelled_by=end.cancelled_by,
        created=None,
        ended=stamp(time.time()),
        lasted=None,
        raised=frame_at(end.raised) if end.raised is not None else None,
        exact=False,
    )


def gone(number: int, name: str, coro: str) -> Ended:
    """A task that has ended, nobody knows how."""
    return Ended(
        number, name, coro, "gone", "", "", "", None, stamp(time.time()), None, exact=False
    )
