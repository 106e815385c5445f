"""In which order tasks take locks: what is written down when one is taken while others are held.

A lock belongs to a *class*: those created at one place are one class; a lock whose place is
not known, because it is older than tracking, is a class of its own. An *order* is a pair of
classes with the places where both were taken; between locks of one class it is the pair of
these very locks. It is one entry however often it is seen, with a few *cases*: which task,
and which other locks (gates) that task held.

Nothing of the program is kept alive but code objects of the places in the table.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from asyncio import locks as _locks
from collections.abc import Callable
from types import CodeType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.records import Site
from asyncconsole.track.cases import Aside, Entry, Known

MOST_ORDERS = 4096
"""Entries of the table; what comes later is counted as dropped."""

SWEEP = 1.0
"""Seconds between two searches of a full table for locks that are gone."""

SAMPLE = 256
"""Locks taken between two beats of the console of which the order is looked at."""

FIRST = 128
"""As many in the beginning ..."""

BURST = 512
"""... and after a rest."""

MOST_TASKS = 2048
"""Tasks that are remembered between two locks that they take."""

MOST_HANDED = 4096
"""Classes remembered whose locks are no locks but signals."""

_NO_GATES: frozenset[int] = frozenset()
_LOCKS = vars(_locks)
_CONTEXTS = vars(contextlib)


class Mine(Aside):
    """A weak reference to a task, with what it holds. Locks refer to it, and it to no table."""

    __slots__ = ("book", "held")
    book: Aside
    held: list[Held]


class Held:
    """One lock that a task has, from when it took it until it is given back.

    Attributes:
        mine: The task.
        known: The lock.
        code: Where it took it.
        at: The instruction there.
    """

    __slots__ = ("at", "code", "known", "mine")

    def __init__(self, mine: Mine, known: Known, code: CodeType, at: int) -> None:
        self.mine = mine
        self.known = known
        self.code = code
        self.at = at


class OrderBook:
    """The table of orders, from one switching on to the next switching off.

    When locks are taken thick and fast, some are looked at after each beat, and no more.

    Args:
        hooks: Globals of the module whose functions stand between a lock and its taker.
        number: Gives a task its id; 0 for one of the console's own.

    Attributes:
        spare: How many more locks are looked at until the next beat.
        wake: Called when there are some again.
        orders: The entries.
        dropped: Orders that had no room.
        version: Grows with everything new.
        broken: Why it has stopped, or "".
        token: Tells this table from later ones, which may get its address.
    """

    def __init__(self, hooks: dict[str, Any], number: Callable[[Any], int]) -> None:
        self._hooks, self._number = hooks, number
        self._self = Aside(self)
        self.token = object()
        self.spare = FIRST
        self.wake: Callable[[], None] = _nothing
        self.orders: dict[tuple[Any, ...], Entry] = {}
        self.dropped = 0
        self.version = 0
        self.broken = ""
        self._mine: dict[int, Mine] = {}
        self._handed: set[Any] = set()
        self._numbers = itertools.count(1)
        self._swept = 0.0

    def attempt(self, lock: Any, frame: Any) -> bool:
        """A task is going to wait for a lock.

        Returns:
            True: `take` need not look at the order again.
        """
        if self.spare <= 0:
            return False
        try:
            task = asyncio.current_task()
            mine = self._mine.get(id(task))
            if mine is not None and mine() is task and mine.held:
                known = self._known(lock)
                if known is not None:
                    self._meet(task, mine, known, self._outside(frame))
        except RuntimeError:
            return False  # no running loop: a coroutine driven by hand
        except Exception as error:
            self._fail(error)
        return True

    def beat(self) -> None:
        """Now and then, in the side thread."""
        if not self.broken:
            self.spare = min(BURST, max(0, self.spare) + SAMPLE)
            self.wake()

    def take(self, lock: Any, frame: Any, *, attempted: bool) -> Held | None:
        """A task has taken a lock.

        Args:
            lock: It.
            frame: The caller, or one of the standard library's that the caller called.
            attempted: The order is known already.

        Returns:
            What `give` wants; None for nothing that orders anything.
        """
        self.spare -= 1
        if self.spare < 0:
            return None
        try:
            known = self._known(lock)
            task = asyncio.current_task()
            if known is None or task is None:
                return None
            while (
                (space := frame.f_globals) is self._hooks or space is _LOCKS or space is _CONTEXTS
            ):
                frame = frame.f_back
            mine = self._mine.get(id(task))
            if mine is None or mine() is not task:
                mine = self._enlist(task)
            elif mine.held and not attempted:
                self._meet(task, mine, known, frame)
            held = Held(mine, known, frame.f_code, frame.f_lasti)
            mine.held.append(held)
        except RuntimeError:  # no running loop: a coroutine driven by hand
            return None
        except Exception as error:
            self._fail(error)
            return None
        return held

    def give(self, held: Held) -> None:
        """A lock is given back where its ``async with`` ends."""
        mine = held.mine
        mine_held = mine.held
        if mine_held and mine_held[-1] is held:
            mine_held.pop()
        elif held in mine_held:
            mine_held.remove(held)
        if not mine_held and len(self._mine) > MOST_TASKS:
            self.drop(mine)

    def give_by_hand(self, held: Held) -> None:
        """A lock is given back by somebody; by whom, is looked at here."""
        self.give(held)
        try:
            task = held.mine()
            if task is None or task is asyncio.current_task() or futures.done(task):
                return
        except RuntimeError:
            return  # no running loop
        if held.known.key not in self._handed and len(self._handed) < MOST_HANDED:
            self._handed.add(held.known.key)
            self.version += 1

    def live(self) -> list[Entry]:
        """The orders that still mean something.

        A lock that was ever given back by another task than the one that took it is a
        signal, and orders nothing.
        """
        handed = self._handed
        return [
            entry
            for entry in list(self.orders.values())
            if entry.alive() and not (entry.first.key in handed or entry.second.key in handed)
        ]

    def _enlist(self, task: Any) -> Mine:
        mine = Mine(task, _gone)
        mine.key, mine.held, mine.book = id(task), [], self._self
        self._mine[mine.key] = mine
        return mine

    def _known(self, lock: Any) -> Known | None:
        known: Known | None = getattr(lock, "_asyncconsole_order", None)
        if known is None or known.book is not self._numbers:
            known = Known(self._numbers, lock)
            try:
                lock._asyncconsole_order = known  # noqa: SLF001 - ours
            except Exception:  # a class of the program's that takes no attributes
                return None
        return known if known.counts else None

    def _meet(self, task: Any, mine: Mine, known: Known, frame: Any) -> None:
        """A task that holds locks takes another."""
        held = [item for item in mine.held if _still(item)]
        if len(held) != len(mine.held):
            mine.held[:] = held
        held = [item for item in held if item.known is not known]
        if not held:
            return
        code, at = frame.f_code, frame.f_lasti
        numbers = frozenset(item.known.number for item in held) if len(held) > 1 else _NO_GATES
        for item in held:
            first = item.known
            if first.key == known.key:  # these two alone, not their class
                key = (first.number, id(item.code), item.at, known.number, id(code), at)
            else:
                key = (first.key, id(item.code), item.at, known.key, id(code), at)
            entry = self.orders.get(key)
            if entry is None:
                if not self._number(task):
                    return
                if not self._room():
                    self.dropped += 1
                    continue
                places = Site(item.code, item.at), Site(code, at)
                entry = self.orders[key] = Entry(first, known, *places)
            gates = numbers - {first.number} if numbers else numbers
            if entry.note(task, gates, (first.number, known.number), frame, self._number):
                self.version += 1

    def _outside(self, frame: Any) -> Any:
        """The innermost frame that is not on the way from a taker to its lock."""
        hooks = self._hooks
        while frame.f_back is not None and (
            (space := frame.f_globals) is hooks or space is _LOCKS or space is _CONTEXTS
        ):
            frame = frame.f_back
        return frame

    def _room(self) -> bool:
        if len(self.orders) < MOST_ORDERS:
            return True
        now = time.monotonic()
        if now - self._swept < SWEEP:
            return False
        self._swept = now
        for key, entry in list(self.orders.items()):
            if not entry.alive():
                self.orders.pop(key, None)
        return len(self.orders) < MOST_ORDERS

    def drop(self, mine: Mine) -> None:
        """Forget a task. Runs in whatever thread let go of it; each step is atomic."""
        if self._mine.get(mine.key) is mine:
            self._mine.pop(mine.key, None)

    def _fail(self, error: BaseException) -> None:
        """Never again; owners are recorded all the same."""
        self.spare = 0
        self.broken = f"{type(error).__name__}: {error}"[:200]


def _gone(mine: Any) -> None:
    """A task is gone."""
    book = mine.book()
    if book is not None:
        book.drop(mine)


def _nothing() -> None:
    """Nobody wants to be woken."""


def _still(held: Held) -> bool:
    """Whether the lock's own record is still that one."""
    owner = getattr(held.known.lock(), "_asyncconsole_owner", None)
    return any(of(item) is held for item in (owner if type(owner) is list else (owner,)))


def of(owner: Any) -> Held | None:
    """What the table knows of a record of `asyncconsole.track.locks`."""
    if type(owner) is tuple:
        owner = owner[-1]
    return owner if type(owner) is Held else None
