"""Who has each lock, exactly, also after an explicit ``await lock.acquire()``.

Patched are methods of ``Lock`` and ``Semaphore`` (a Condition's lock is a Lock, a
BoundedSemaphore a Semaphore); the classes stay what they are. What is free is taken
inline, in the very steps that the standard library's own methods do; whoever has to wait
goes through the method that was there before. A method that somebody else has patched
earlier is always called.

A record lies on the primitive itself, so it goes when that goes: for an explicit acquire
``(weak reference to the task, time, code, instruction)``; for ``async with`` the time
alone, because there the owner's stack tells who and where. When explicit acquires come
thick and fast it is the reference alone: time and place would cost more than the lock.
At an ordinary pace the record also says what the table of orders knows (``order.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
import weakref
from asyncio import locks as _locks
from asyncio import tasks as _tasks
from collections.abc import Callable
from typing import Any

from asyncconsole.capture.objects import attribute
from asyncconsole.capture.readers import lock as _lock_reader
from asyncconsole.capture.readers import reader as _reader
from asyncconsole.capture.readers import semaphore as _semaphore_reader
from asyncconsole.capture.records import Owner, Site
from asyncconsole.track.births import births
from asyncconsole.track.cases import Aside
from asyncconsole.track.order import Held, OrderBook, of
from asyncconsole.track.patch import Patch, stock

# Loaded before anything is patched: the readers know waits by the code of these methods.
_READERS = (_lock_reader, _semaphore_reader)

ORDINARY = 500
"""Explicit acquires of which everything is recorded, until the next beat."""

RUSH = 256
"""After that many more it is looked whether the beat is over."""

BEAT = 0.1
"""Seconds."""

_Entry = tuple["weakref.ref[Any]", float, Any, int, "Held | None"]


class LockHook:
    """Records owners while it is on.

    Args:
        number: Gives a task its id; 0 for one of the console's own.
    """

    def __init__(self, number: Callable[[Any], int]) -> None:
        self._number = number
        self.on = False
        self._patches: list[Patch] = []
        self._accepted: list[Any] = []
        self._began = 0.0
        self._generation = 0
        self._known: dict[int, Aside] = {}
        self.orders = OrderBook(globals(), self._number)

    def switch_on(self) -> None:
        """Patch the methods; does nothing when they are."""
        if self.on:
            return
        self.on = True
        self._generation += 1
        self.orders = OrderBook(globals(), self._number)
        self._began = time.monotonic()
        inline = all(
            stock(asyncio.Lock, name) for name in ("acquire", "release", "__aenter__", "__aexit__")
        )
        functions = {
            asyncio.Lock: self._lock_functions(inline=inline),
            asyncio.Semaphore: self._semaphore_functions(),
        }
        # What a lock says that was never taken explicitly, without the cost of an exception.
        self._patches.append(Patch(asyncio.Lock, "_asyncconsole_owner", False))
        for cls, named in functions.items():
            named["__init__"] = births(cls, self._active())
            for name, function in named.items():
                self._put(cls, name, function)

    def _active(self) -> Callable[[], bool]:
        """A function that says whether this switching on still lasts."""
        generation = self._generation
        return lambda: self._generation == generation

    def switch_off(self) -> None:
        """Put the methods back; forget everything."""
        self.on = False
        self._generation += 1
        self.orders = OrderBook(globals(), self._number)
        for patch in self._patches:
            patch.off()
        self._patches.clear()
        for thing in self._things():
            # A bare reference doesn't tell of which time it is.
            if type(attribute(thing, "_asyncconsole_owner")) is weakref.ref:
                with contextlib.suppress(Exception):
                    thing._asyncconsole_owner = None  # noqa: SLF001 - ours
        self._known = {}

    def _put(self, owner: type, name: str, function: Any) -> None:
        before = getattr(owner, name)
        function.__name__ = name
        function.__qualname__ = f"{owner.__name__}.{name}"
        function.__doc__ = before.__doc__
        function.__wrapped__ = before
        if stock(owner, name) and name != "__init__":
            # It does what the original does, so proofs may rest on it as well.
            _reader.accept(function)
        self._patches.append(Patch(owner, name, function))

    def owners(self, thing: Any) -> list[Owner]:
        """Who has a lock or semaphore now, as far as recorded since tracking began."""
        if not self.on:
            return []
        found = attribute(thing, "_asyncconsole_owner")
        if type(found) is weakref.ref:
            task = found()
            return [Owner(task, None, None)] if task is not None else []
        entries = found if type(found) is list else [found] if type(found) is tuple else []
        owners = []
        for reference, since, code, instruction, _ in list(entries):
            task = reference()
            if since >= self._began and task is not None:
                owners.append(Owner(task, since, Site(code, instruction)))
        if not entries:
            since = attribute(thing, "_asyncconsole_since")
            if type(since) is float and since >= self._began:
                owners.append(Owner(None, since, None))
        return owners

    def taken(self) -> list[Any]:
        """Primitives that were taken explicitly and not given back."""
        return [
            thing
            for thing in self._things()
            if (owner := attribute(thing, "_asyncconsole_owner")) and type(owner) is not Held
        ]

    def _things(self) -> list[Any]:
        """Primitives that were ever taken explicitly."""
        found = [reference() for reference in list(self._known.values())]
        return [thing for thing in found if thing is not None]

    def _lock_functions(  # noqa: C901, PLR0915 - two closures over the same counters
        self, *, inline: bool
    ) -> dict[str, Any]:
        acquire_before: Any = asyncio.Lock.acquire
        release_before: Any = asyncio.Lock.release
        orders, know = self.orders, self._know
        entry, attempt, give = _entry_maker(orders), orders.attempt, orders.give_by_hand
        generation, hook = self._generation, self
        current, reference, now = asyncio.current_task, weakref.ref, time.monotonic
        here = sys._getframe  # noqa: SLF001 - inspect is too slow here
        running = getattr(_tasks, "_current_tasks", {})
        quick = sys.version_info >= (3, 12)  # current_task is C code from there on
        spare, due = ORDINARY, 0.0
        last: weakref.ref[Any] = reference(self)  # no task at first

        def refill() -> None:
            nonlocal spare, due
            time = now()
            spare = 0
            if time >= due:
                spare, due = ORDINARY, time + BEAT

        async def acquire(self: Any) -> Any:
            nonlocal spare, last
            result: Any = True
            waited = False
            if inline and not self._locked and not self._waiters:
                self._locked = True
            else:
                if spare > 0 and hook._generation == generation:
                    waited = attempt(self, here(1))
                result = await acquire_before(self)
            spare -= 1
            if spare < 0 and hook._generation == generation:
                # In a rush: who it is, and no more. Every nanosecond counts here.
                if spare < -RUSH:
                    refill()
                try:
                    if quick:
                        task = current()
                    else:  # Python code there, and getpid() each time
                        (task,) = running.values()
                    by = last  # mostly the same one takes it again and again
                    if by() is not task:
                        last = by = reference(task)
                    if self._asyncconsole_owner is not False or know(self):
                        self._asyncconsole_owner = by
                    return result
                except Exception:  # noqa: S110 - loops in several threads, nobody's coroutine
                    pass
            if hook._generation == generation:
                if self._asyncconsole_owner is False:
                    know(self)
                self._asyncconsole_owner = entry(self, waited)
            return result

        def release(self: Any) -> None:
            if inline and self._locked and not self._waiters:
                self._locked = False
            else:
                release_before(self)
            try:
                owner = self._asyncconsole_owner
                if owner:
                    self._asyncconsole_owner = None
                    if type(owner) is not reference and (held := of(owner)) is not None:
                        give(held)
            except AttributeError:
                pass  # tracking is off; this is still below somebody else's patch

        functions = {"acquire": acquire, "release": release}
        return functions | (_enter_functions(acquire, release, orders) if inline else {})

    def _semaphore_functions(self) -> dict[str, Any]:
        acquire_before: Any = asyncio.Semaphore.acquire
        release_before: Any = asyncio.Semaphore.release
        # Some releases of 3.10 promise a permit to a waiter that has left the queue.
        promises = "_wakeup_scheduled" in asyncio.Semaphore.__init__.__code__.co_names
        inline = stock(asyncio.Semaphore, "acquire") and not promises
        orders, know = self.orders, self._know
        entry, attempt, give = _entry_maker(orders), orders.attempt, orders.give_by_hand
        generation, hook = self._generation, self
        here = sys._getframe  # noqa: SLF001 - inspect is too slow here

        async def acquire(self: Any) -> Any:
            result: Any = True
            waited = False
            if inline and self._value > 0 and not self._waiters:
                self._value -= 1
            else:
                if hook._generation == generation:
                    waited = attempt(self, here(1))
                result = await acquire_before(self)
            if hook._generation == generation:
                made = entry(self, waited)
                if made is not None:
                    try:
                        self._asyncconsole_owner.append(made)
                    except AttributeError:
                        know(self)
                        self._asyncconsole_owner = [made]
            return result

        def release(self: Any) -> None:
            release_before(self)
            entries = getattr(self, "_asyncconsole_owner", None)
            if entries:
                for each in _given_back(entries):
                    if (held := of(each)) is not None:
                        give(held)

        return {"acquire": acquire, "release": release}

    def _know(self, thing: Any) -> bool:
        try:
            reference = Aside(thing, self._forget)
            reference.key = id(thing)
            self._known[reference.key] = reference
        except Exception:  # no weak reference to it
            return False
        return True

    def _forget(self, reference: Aside) -> None:
        if self._known.get(reference.key) is reference:
            del self._known[reference.key]


def _enter_functions(acquire: Any, release: Any, orders: OrderBook) -> dict[str, Any]:
    """``__aenter__`` and ``__aexit__`` of a free Lock without a call in between.

    They pay for what is recorded: ``async with`` costs no more than before. When that comes
    thick and fast, in what order is only looked at by samples.
    """
    Lock: Any = asyncio.Lock  # noqa: N806 - it is the class
    now, here = time.monotonic, sys._getframe  # noqa: SLF001 - inspect is too slow here
    looking = True

    def wake() -> None:
        nonlocal looking
        looking = True

    orders.wake = wake

    def note(lock: Any) -> None:
        nonlocal looking
        if orders.spare <= 0:
            looking = False
            return
        held = orders.take(lock, here(2), attempted=False)
        if held is not None:
            lock._asyncconsole_owner = held  # noqa: SLF001 - ours

    def forget(lock: Any) -> None:
        held = of(lock._asyncconsole_owner)  # noqa: SLF001 - ours
        lock._asyncconsole_owner = None  # noqa: SLF001 - ours
        if held is not None:
            orders.give(held)

    async def aenter(self: Any) -> None:
        if (
            not self._locked
            and not self._waiters
            and self.__class__ is Lock
            and Lock.acquire is acquire
        ):
            self._locked = True
            self._asyncconsole_since = now()
            if looking:
                note(self)
        else:
            await self.acquire()

    async def aexit(self: Any, _kind: Any, _error: Any, _traceback: Any) -> None:
        if (
            self._locked
            and not self._waiters
            and self.__class__ is Lock
            and Lock.release is release
        ):
            self._locked = False
            try:
                if self._asyncconsole_owner:
                    forget(self)
            except AttributeError:
                pass  # tracking is off; this is still below somebody else's patch
        else:
            self.release()

    return {"__aenter__": aenter, "__aexit__": aexit}


def _entry_maker(orders: OrderBook) -> Callable[[Any, bool], _Entry | None]:
    """A function that writes down who awaits the function that called it."""
    current, now, here, reference = asyncio.current_task, time.monotonic, sys._getframe, weakref.ref  # noqa: SLF001 - inspect is too slow here
    own, library, take = globals(), vars(_locks), orders.take

    def entry(thing: Any, waited: bool) -> _Entry | None:
        try:
            frame: Any = here(2)
            while (space := frame.f_globals) is own or space is library:
                frame = frame.f_back  # __aenter__, Condition.wait: their caller took it
            held = take(thing, frame, attempted=waited) if orders.spare > 0 else None
            by = reference(current()) if held is None else held.mine
            return by, now(), frame.f_code, frame.f_lasti, held
        except Exception:
            return None  # nobody's task: a coroutine driven by hand

    return entry


def _given_back(entries: list[_Entry]) -> list[_Entry]:
    """Forget one permit of the running task; all of them when it had none.

    When somebody gives back what another has taken, there is no telling whose it was.
    """
    with contextlib.suppress(Exception):
        task = asyncio.current_task()
        for index in reversed(range(len(entries))):
            if entries[index][0]() is task and task is not None:
                return [entries.pop(index)]
    gone = entries[:]
    entries.clear()
    return gone
