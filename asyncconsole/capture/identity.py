"""Small stable numbers for live objects, without keeping them alive."""

from __future__ import annotations

import itertools
import time
import weakref
from bisect import bisect_left
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any


class _Entry(weakref.ref):  # type: ignore[type-arg]  # weakref.ref can't be subscripted as a base
    """A weak reference that carries what is known about its object."""

    __slots__ = ("key", "number", "since")
    key: int
    number: int
    since: float


_number: Any = attrgetter("number")


class Numbers:
    """Numbers objects in the order in which they are first seen.

    An object keeps its number as long as it lives; a number is never used twice.
    Objects that can't be weakly referenced get number 0.

    Args:
        anchor: From such an object to one with the same life that can be, or None.
    """

    def __init__(self, anchor: Callable[[Any], Any] | None = None) -> None:
        self._anchor = anchor
        self._entries: dict[int, _Entry] = {}
        self._last = itertools.count(1)  # next() on it is one atomic step

    def of(self, thing: Any) -> int:
        """The number of ``thing``, a new one when it is new."""
        return self.entry(thing)[0]

    def fresh(self) -> int:
        """A new number for something that is gone already."""
        return next(self._last)

    def known(self, thing: Any) -> int:
        """The number of ``thing``, or 0 when it is new."""
        found = self._entries.get(id(thing))
        return found.number if found is not None and found() is thing else 0

    def new(self, things: Iterable[Any]) -> list[Any]:
        """Those that have no number yet."""
        known = self._entries.get
        return [
            thing for thing in things if (found := known(id(thing))) is None or found() is not thing
        ]

    def entry(self, thing: Any) -> tuple[int, float]:
        """The number of ``thing`` and the monotonic time it was first seen."""
        key = id(thing)
        found = self._entries.get(key)
        if found is not None and found() is thing:
            return found.number, found.since
        try:
            entry = _Entry(thing, self._drop)
        except TypeError:
            other = self._anchor(thing) if self._anchor is not None else None
            if other is None or other is thing:
                return 0, time.monotonic()
            return self.entry(other)
        entry.key = key
        entry.number = next(self._last)
        entry.since = time.monotonic()
        self._entries.pop(key, None)  # so that the new one is last, as its number is
        self._entries[key] = entry
        return entry.number, entry.since

    def ids(self) -> list[int]:
        """``id`` of everything that is numbered, in the order of the numbers."""
        return list(self._entries)

    def numbered(self, number: int) -> Any:
        """The live object with that number, or None."""
        entries = list(self._entries.values())
        at = bisect_left(entries, number, key=_number)
        if at < len(entries) and entries[at].number == number:
            return entries[at]()
        # Two threads that number at once may have put theirs in the other order.
        return next((entry() for entry in entries if entry.number == number), None)

    def live(self) -> list[tuple[int, Any]]:
        """Number and object of everything that is still alive."""
        pairs = [(entry.number, entry()) for entry in list(self._entries.values())]
        return [(number, thing) for number, thing in pairs if thing is not None]

    def _drop(self, entry: _Entry) -> None:
        # Runs in whatever thread let go of the object; each step is atomic.
        if self._entries.get(entry.key) is entry:
            self._entries.pop(entry.key, None)
