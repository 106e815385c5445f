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
from asyncconsole.track.patch import Patch, stock

# Loaded before anything is patched: the readers know waits by the code of these methods.
_READERS = (_lock_reader, _semaphore_reader)

ORDINARY = 500
"""Explicit acquires of which everything is recorded, until the next beat."""

RUSH = 256
"""After that many more it is looked whether the beat is over."""

BEAT = 0.1
"""Seconds."""

_Entry = tuple["weakref.ref[Any]", float, Any, int]


class LockHook:
    """Records owners while it is on."""

    def __init__(self) -> None:
        self.on = False
        self._patches: list[Patch] = []
        self._accepted: list[Any] = []
        self._began = 0.0
        self._generation = 0
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    def switch_on(self) -> None:
        """Patch the methods; does nothing when they are."""
        if self.on:
            return
        self.on = True
        self._generation += 1
        self._began = time.monotonic()
        inline = all(
            stock(asyncio.Lock, name) for name in ("acquire", "release", "__aenter__", "__aexit__")
        )
        functions = self._lock_functions(inline=inline)
        # What a lock says that was never taken explicitly, without the cost of an exception.
        self._patches.append(Patch(asyncio.Lock, "_asyncconsole_owner", False))
        for name, function in functions.items():
            self._put(asyncio.Lock, name, function)
        for name, function in self._semaphore_functions().items():
            self._put(asyncio.Semaphore, name, function)

    def switch_off(self) -> None:
        """Put the methods back; forget everything."""
        self.on = False
        self._generation += 1
        for patch in self._patches:
            patch.off()
        self._patches.clear()
        for thing in self._things():
            # A bare reference doesn't tell of which time it is.
            if type(attribute(thing, "_asyncconsole_owner")) is weakref.ref:
                with contextlib.suppress(Exception):
                    thing._asyncconsole_owner = None  # noqa: SLF001 - ours
        self._known = weakref.WeakSet()

    def _put(self, owner: type, name: str, function: Any) -> None:
        before = getattr(owner, name)
        function.__name__ = name
        function.__qualname__ = f"{owner.__name__}.{name}"
        function.__doc__ = before.__doc__
        function.__wrapped__ = before
        if stock(owner, name):
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
        for reference, since, code, instruction in list(entries):
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
        return [thing for thing in self._things() if attribute(thing, "_asyncconsole_owner")]

    def _things(self) -> list[Any]:
        """Primitives that were ever taken explicitly."""
        for _ in range(5):
            try:
                return list(self._known)
            except RuntimeError:  # one was added meanwhile
                continue
        return []

    def _lock_functions(  # noqa: C901, PLR0915 - two closures over the same counters
        self, *, inline: bool
    ) -> dict[str, Any]:
        acquire_before: Any = asyncio.Lock.acquire
        release_before: Any = asyncio.Lock.release
        entry, know = _entry_maker(), self._know
        generation, hook = self._generation, self
        current, reference, now = asyncio.current_task, weakref.ref, time.monotonic
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
            if inline and not self._locked and not self._waiters:
                self._locked = True
            else:
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
                self._asyncconsole_owner = entry()
            return result

        def release(self: Any) -> None:
            if inline and self._locked and not self._waiters:
                self._locked = False
            else:
                release_before(self)
            try:
                if self._asyncconsole_owner:
                    self._asyncconsole_owner = None
            except AttributeError:
                pass  # tracking is off; this is still below somebody else's patch

        functions = {"acquire": acquire, "release": release}
        return functions | (_enter_functions(acquire, release) if inline else {})

    def _semaphore_functions(self) -> dict[str, Any]:
        acquire_before: Any = asyncio.Semaphore.acquire
        release_before: Any = asyncio.Semaphore.release
        # Some releases of 3.10 promise a permit to a waiter that has left the queue.
        promises = "_wakeup_scheduled" in asyncio.Semaphore.__init__.__code__.co_names
        inline = stock(asyncio.Semaphore, "acquire") and not promises
        entry, know = _entry_maker(), self._know
        generation, hook = self._generation, self

        async def acquire(self: Any) -> Any:
            result: Any = True
            if inline and self._value > 0 and not self._waiters:
                self._value -= 1
            else:
                result = await acquire_before(self)
            if hook._generation == generation:
                made = entry()
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
                _give_back(entries)

        return {"acquire": acquire, "release": release}

    def _know(self, thing: Any) -> bool:
        try:
            self._known.add(thing)
        except Exception:  # no weak reference to it, or no hash
            return False
        return True


def _enter_functions(acquire: Any, release: Any) -> dict[str, Any]:
    """``__aenter__`` and ``__aexit__`` of a free Lock without a call in between.

    They pay for what is recorded: ``async with`` costs no more than before.
    """
    Lock: Any = asyncio.Lock  # noqa: N806 - it is the class
    now = time.monotonic

    async def aenter(self: Any) -> None:
        if (
            not self._locked
            and not self._waiters
            and self.__class__ is Lock
            and Lock.acquire is acquire
        ):
            self._locked = True
            self._asyncconsole_since = now()
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
                    self._asyncconsole_owner = None
            except AttributeError:
                pass  # tracking is off; this is still below somebody else's patch
        else:
            self.release()

    return {"__aenter__": aenter, "__aexit__": aexit}


def _entry_maker() -> Callable[[], _Entry | None]:
    """A function that writes down who awaits the function that called it."""
    current, now, here, reference = asyncio.current_task, time.monotonic, sys._getframe, weakref.ref  # noqa: SLF001 - inspect is too slow here
    own, library = globals(), vars(_locks)

    def entry() -> _Entry | None:
        try:
            frame: Any = here(2)
            while (space := frame.f_globals) is own or space is library:
                frame = frame.f_back  # __aenter__, Condition.wait: their caller took it
            return reference(current()), now(), frame.f_code, frame.f_lasti
        except Exception:
            return None  # nobody's task: a coroutine driven by hand

    return entry


def _give_back(entries: list[_Entry]) -> None:
    """Forget one permit of the running task; all of them when it had none.

    When somebody gives back what another has taken, there is no telling whose it was.
    """
    with contextlib.suppress(Exception):
        task = asyncio.current_task()
        for index in reversed(range(len(entries))):
            if entries[index][0]() is task and task is not None:
                del entries[index]
                return
    entries.clear()
