"""One order in which two locks were taken, and in which cases that was."""

from __future__ import annotations

import asyncio
import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.objects import attribute, class_name
from asyncconsole.capture.records import Site

MOST_CASES = 16
"""Cases of one order."""

WALKS = 32
"""Times that an order is seen until its callers are no longer looked at."""

DEPTH = 64
"""Callers looked at, for timeouts among them."""


class Aside(weakref.ref):  # type: ignore[type-arg]  # weakref.ref can't be subscripted as a base
    """A weak reference by which nothing of the program can get at a primitive.

    A class of ours tells it from the program's own, through which somebody may still act; see
    `asyncconsole.capture.autopsy.wakes`.
    """

    __slots__ = ("key",)
    key: int


class Known:
    """A lock as the table knows it. It lies on the lock.

    Attributes:
        book: What numbers the locks of its table.
        number: Its own, never used twice.
        key: Its class: the place where it was created, or ``number``.
        made: That place; None when not known.
        kind: What its type is called.
        lock: Weak reference to it.
        counts: False for a semaphore of more permits than one, which orders nothing.
    """

    __slots__ = ("book", "counts", "key", "kind", "lock", "made", "number")

    def __init__(self, book: Iterator[int], lock: Any) -> None:
        self.book = book
        self.number = number = next(book)
        self.lock = Aside(lock)
        self.kind = class_name(type(lock))
        made = attribute(lock, "_asyncconsole_made")
        self.made = Site(made[0], made[1]) if type(made) is tuple else None
        self.key: Any = number if self.made is None else (id(self.made.code), self.made.instruction)
        self.counts = True
        if issubclass(type(lock), asyncio.Semaphore):
            most = attribute(lock, "_bound_value")
            if most is None and type(made) is tuple:
                most = made[2]
            self.counts = most == 1


class Case:
    """One way in which an order came about.

    Attributes:
        task: Plain weak reference; of two cases of one task it is the same object.
        number: The task's id.
        name: Its name.
        gates: Numbers of the other locks that it held.
        locks: Numbers of the two locks.
        holding: Numbers of all locks that it held.
        insists: Whether it would have waited for ever; None until that is found out.
        chain: Code and instruction of the callers, innermost first, flat.
    """

    __slots__ = ("chain", "gates", "holding", "insists", "locks", "name", "number", "task")

    def __init__(
        self,
        task: Any,
        number: int,
        gates: frozenset[int],
        locks: tuple[int, int],
        chain: tuple[Any, ...],
    ) -> None:
        self.task = weakref.ref(task)
        self.number = number
        self.name = futures.name(task)
        self.gates = gates
        self.locks = locks
        self.holding = gates | {locks[0]}
        self.chain = chain
        self.insists: bool | None = None


class Entry:
    """One order.

    Attributes:
        first: The lock that was held, when this was first seen.
        second: The lock that was taken.
        held: Where the first was taken.
        taken: Where the second was taken.
        times: How often it was seen.
        cases: How.
    """

    __slots__ = ("cases", "first", "held", "second", "taken", "times")

    def __init__(self, first: Known, second: Known, held: Site, taken: Site) -> None:
        self.first, self.held, self.second, self.taken = first, held, second, taken
        self.times = 0
        self.cases: list[Case] = []

    @property
    def within(self) -> bool:
        """True for two locks of one class."""
        return bool(self.first.key == self.second.key)

    def alive(self) -> bool:
        """False when a lock is gone without which there can be no such order any more."""
        return all(
            known.lock() is not None
            for known in (self.first, self.second)
            if self.within or known.made is None
        )

    def note(
        self,
        task: Any,
        gates: frozenset[int],
        locks: tuple[int, int],
        frame: Any,
        number: Callable[[Any], int],
    ) -> bool:
        """It was seen.

        Args:
            task: Who.
            gates: See `Case`.
            locks: See `Case`.
            frame: Where the second lock was taken.
            number: Gives a task its id.

        Returns:
            True when that says something new.
        """
        self.times += 1
        chain = _chain(frame) if self.times <= WALKS else None
        for case in self.cases:
            if (
                case.task() is task
                and case.gates == gates
                and case.locks == locks
                and (chain is None or _same(case.chain, chain))
            ):
                return False
        index = len(self.cases) if len(self.cases) < MOST_CASES else self._spare(task, gates)
        if index is None:
            return False
        case = Case(task, number(task), gates, locks, chain or _chain(frame))
        self.cases[index : index + 1] = [case]
        return True

    def _spare(self, task: Any, gates: frozenset[int]) -> int | None:
        """The case that a new one tells more than, when there is no room for both."""
        tasks: set[int] = set()
        double = None
        for index, case in enumerate(self.cases):
            if case.gates > gates:
                return index
            if id(case.task) in tasks:
                double = index
            tasks.add(id(case.task))
        known = any(case.task() is task for case in self.cases)
        return None if known else double


def _chain(frame: Any) -> tuple[Any, ...]:
    """A frame and its callers."""
    found: list[Any] = []
    while frame is not None and len(found) < 2 * DEPTH:
        found += (frame.f_code, frame.f_lasti)
        frame = frame.f_back
    return tuple(found)


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two chains are the same; equal code objects are not."""
    return len(one) == len(other) and all(map(_is, one, other))


def _is(one: Any, other: Any) -> bool:
    return one is other or (type(one) is int and one == other)


def places(chain: Iterable[Any]) -> Iterator[Site]:
    """The places of a chain."""
    flat = iter(chain)
    return itertools.starmap(Site, zip(flat, flat, strict=True))
