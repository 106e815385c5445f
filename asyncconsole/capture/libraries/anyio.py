"""anyio's locks, semaphores, limiters, events, conditions and memory object streams.

Seen on 4.6 to 4.16, under asyncio, and the Lock of 3.3; semaphores and conditions before 4.6
are shown as the events they are made of.

A Lock and a CapacityLimiter know the tasks that have them, and let nobody else give
them back. One made outside of a running loop is an adapter around the real one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.chain import Level
from asyncconsole.capture.libraries.library import (
    Book,
    LibraryReader,
    Loan,
    codes,
    first,
    need,
)
from asyncconsole.capture.objects import attribute, method_code
from asyncconsole.capture.readers.reader import Facts, futures_of

MODULE = "anyio._backends._asyncio"


class _AnyioReader(LibraryReader):
    library = "anyio"


class _LockReader(_AnyioReader):
    holdable = True

    def read(self, thing: Any) -> Facts:
        owner = need(thing, "_owner_task")
        pairs = [pair for pair in list(need(thing, "_waiters")) if type(pair) is tuple]
        return Facts(
            state="locked" if owner is not None else "unlocked",
            locked=owner is not None,
            queue=tuple((pair[1], "") for pair in pairs if futures.is_future(pair[-1])),
            permits=1,
            taken=int(owner is not None),
            sound=type(thing) is self.type,  # release() refuses everyone but the owner
        )

    def owners(self, thing: Any) -> tuple[Any, ...] | None:
        owner = need(thing, "_owner_task")
        if owner is None:
            return ()
        return (owner,) if futures.is_task(owner) else None


class _EarlyLockReader(_AnyioReader):
    """Lock before 4.6: made of events; of its owner it keeps a description alone.

    The description has the task's ``id()``, which another task may have by now: so it is not
    followed, and the owner is known by its ``async with``.
    """

    holdable = True

    def __init__(self, cls: type, waits: dict[CodeType, str], event: set[CodeType]) -> None:
        super().__init__(cls, waits)
        self._event = event

    def read(self, thing: Any) -> Facts:
        owner = need(thing, "_owner_task")
        pairs = [pair for pair in list(need(thing, "_waiters")) if type(pair) is tuple]
        return Facts(
            state="locked" if owner is not None else "unlocked",
            locked=owner is not None,
            queue=tuple((future, "") for pair in pairs for future in _waiters(pair[-1])),
            permits=1,
            taken=int(owner is not None),
            sound=type(thing) is self.type,
        )

    def waited(self, levels: list[Level], future: Any) -> Any:
        if not any(level.code in self._event for level in levels[1:]):
            return None  # a checkpoint
        return first(levels[0], self.type)


class _SemaphoreReader(_AnyioReader):
    holdable = True

    def read(self, thing: Any) -> Facts:
        free, most = need(thing, "_value"), need(thing, "_max_value")
        return Facts(
            state=f"{free} of {most} free" if most is not None else f"{free} free",
            locked=free == 0,
            queue=tuple((future, "") for future in futures_of(thing, "_waiters")),
            permits=most,
            taken=most - free if most is not None else None,
            details=(("free", free), ("bound", most)),
        )


class _LimiterReader(_AnyioReader):
    holdable = True

    def read(self, thing: Any) -> Facts:
        taken, total = len(need(thing, "_borrowers")), need(thing, "_total_tokens")
        events = list(need(thing, "_wait_queue").values())
        return Facts(
            state=f"{taken} of {'∞' if math.isinf(total) else total} tokens borrowed",
            locked=taken >= total,
            queue=tuple((future, "") for event in events for future in _waiters(event)),
            permits=None if math.isinf(total) else int(total),
            taken=taken,
            details=(("borrowed", taken), ("total", None if math.isinf(total) else total)),
        )

    def owners(self, thing: Any) -> tuple[Any, ...] | None:
        borrowers = tuple(need(thing, "_borrowers"))
        return borrowers if all(futures.is_task(item) for item in borrowers) else None


class _EventReader(_AnyioReader):
    def read(self, thing: Any) -> Facts:
        inner = need(thing, "_event")
        is_set = bool(need(inner, "_value"))
        return Facts(
            state="set" if is_set else "not set",
            locked=not is_set,
            queue=tuple((future, "") for future in _waiters(thing)),
        )


class _ConditionReader(_AnyioReader):
    holdable = True

    def __init__(
        self, cls: type, lock: type, waits: dict[CodeType, str], event: set[CodeType]
    ) -> None:
        super().__init__(cls, waits)
        self._lock = lock
        self._event = event

    def read(self, thing: Any) -> Facts:
        lock = self.guards(thing)
        locked = attribute(lock, "_owner_task") is not None
        events = list(need(thing, "_waiters"))
        return Facts(
            state="locked" if locked else "unlocked",
            locked=locked,
            queue=tuple((future, "") for event in events for future in _waiters(event)),
        )

    def guards(self, thing: Any) -> Any:
        lock = _core(need(thing, "_lock"))
        return lock if issubclass(type(lock), self._lock) else thing

    def waited(self, levels: list[Level], future: Any) -> Any:
        # After the notification it takes the lock again.
        if any(level.code in self._event for level in levels[1:]):
            return first(levels[0], self.type)
        return None


class _StreamReader(_AnyioReader):
    """Both ends, and all their clones, share the state that is read here."""

    def __init__(
        self, cls: type, ends: tuple[type, ...], waits: dict[CodeType, str], event: set[CodeType]
    ) -> None:
        super().__init__(cls, waits)
        self._ends = ends
        self._event = event

    def called(self, thing: Any) -> str:
        return "anyio.MemoryObjectStream"

    def read(self, thing: Any) -> Facts:
        size, most = len(need(thing, "buffer")), need(thing, "max_buffer_size")
        receivers = list(need(thing, "waiting_receivers"))
        senders = list(need(thing, "waiting_senders"))
        queue = [(future, "receive") for event in receivers for future in _waiters(event)]
        queue += [(future, "send") for event in senders for future in _waiters(event)]
        sends, receives = need(thing, "open_send_channels"), need(thing, "open_receive_channels")
        limit = "∞" if math.isinf(most) else most
        return Facts(
            state=f"{size} of {limit} items, open ends: {sends} send, {receives} receive",
            locked=bool(queue),
            queue=tuple(queue),
            details=(
                ("size", size),
                ("maxsize", None if math.isinf(most) else most),
                ("open_send", sends),
                ("open_receive", receives),
            ),
        )

    def waited(self, levels: list[Level], future: Any) -> Any:
        if not any(level.code in self._event for level in levels[1:]):
            return None  # a checkpoint
        for end in self._ends:
            found = first(levels[0], end)
            if found is not None:
                return need(found, "_state")
        return None


def _waiters(event: Any) -> tuple[Any, ...]:
    """Futures in the queue of asyncio's event, in anyio's event, in an adapter."""
    for name in ("_internal_event", "_event"):
        event = attribute(event, name) or event
    return futures_of(event, "_waiters")


_ADAPTERS = ("_internal_lock", "_internal_semaphore", "_internal_limiter")


def _core(thing: Any) -> Any:
    """The primitive in an adapter; itself when it is none."""
    return next((item for name in _ADAPTERS if (item := attribute(thing, name))), thing)


def install(module: ModuleType, book: Book) -> None:
    """Learn anyio's primitives."""
    kinds: tuple[tuple[type[LibraryReader], str, str, tuple[str, ...]], ...] = (
        (_LockReader, "Lock", "lock", ("acquire",)),
        (_SemaphoreReader, "Semaphore", "semaphore", ("acquire",)),
        (_LimiterReader, "CapacityLimiter", "limiter", ("acquire_on_behalf_of",)),
        (_EventReader, "Event", "event", ("wait",)),
    )
    for reader, name, kind, waits in kinds:
        cls = attribute(module, name)
        if cls is not None:
            book.read(reader(cls, dict.fromkeys(codes(cls, *waits), kind)))
    event = set(codes(attribute(module, "Event"), "wait"))
    core = sys.modules.get("anyio._core._synchronization")
    early = attribute(core, "Lock") if attribute(module, "Lock") is None else None
    if early is not None and method_code(early, "acquire") is not None:
        book.read(_EarlyLockReader(early, dict.fromkeys(codes(early, "acquire"), "lock"), event))
    condition, lock = attribute(core, "Condition"), attribute(module, "Lock")
    if condition is not None and lock is not None:
        waits_of = dict.fromkeys(codes(condition, "wait"), "condition")
        book.read(_ConditionReader(condition, lock, waits_of, event))
    _streams(sys.modules.get("anyio.streams.memory"), event, book)
    _adapters(core, book)


def _streams(module: ModuleType | None, event: set[CodeType], book: Book) -> None:
    """Learn memory object streams."""
    state = attribute(module, "_MemoryObjectStreamState") or attribute(
        module, "MemoryObjectStreamState"
    )
    send = attribute(module, "MemoryObjectSendStream")
    receive = attribute(module, "MemoryObjectReceiveStream")
    if state is None or send is None or receive is None:
        return
    waits = dict.fromkeys(codes(send, "send"), "stream_send")
    waits |= dict.fromkeys(codes(receive, "receive"), "stream_receive")
    book.read(_StreamReader(state, (send, receive), waits, event))
    book.lead(send, "_state", "")
    book.lead(receive, "_state", "")


def _adapters(core: ModuleType | None, book: Book) -> None:
    """Learn what primitives are wrapped in that were made before the loop ran."""
    names = ("LockAdapter", "SemaphoreAdapter", "CapacityLimiterAdapter", "EventAdapter")
    for name, inner in zip(names, (*_ADAPTERS, "_internal_event"), strict=True):
        cls = attribute(core, name)
        book.lead(cls, inner, "")
        if inner in _ADAPTERS:
            book.lend(cls, _of_adapter, frames=False)


def _of_adapter(adapter: Any) -> Iterator[Loan]:
    inner = _core(adapter)
    if inner is not adapter:
        yield Loan(inner, None)
