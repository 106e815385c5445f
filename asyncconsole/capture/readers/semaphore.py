"""``asyncio.Semaphore`` and ``BoundedSemaphore``.

A plain Semaphore does not remember how many permits it began with, so nobody can
tell from outside whether all of them are accounted for; a bounded one does.
"""

from __future__ import annotations

import asyncio
from typing import Any

from asyncconsole.capture.objects import attribute
from asyncconsole.capture.readers.reader import ACQUIRE, Facts, Reader, code, futures_of, stock

_PLAIN = {asyncio.Semaphore, asyncio.BoundedSemaphore}


class _SemaphoreReader(Reader):
    type = asyncio.Semaphore
    waits = dict.fromkeys(code(asyncio.Semaphore, "acquire"), "semaphore")
    holdable = True

    def trusted(self, thing: Any) -> bool:
        # A subclass may enter without taking, or take only once.
        return type(thing) in _PLAIN or stock(thing, asyncio.Semaphore, ACQUIRE)

    def read(self, thing: Any) -> Facts:
        free = attribute(thing, "_value")
        bound = attribute(thing, "_bound_value")
        free = free if type(free) is int else 0
        bound = bound if type(bound) is int else None
        queue = tuple((future, "") for future in futures_of(thing, "_waiters"))
        return Facts(
            state=f"{free} of {bound} free" if bound is not None else f"{free} free",
            locked=free == 0,
            queue=queue,
            permits=bound,
            taken=bound - free if bound is not None else None,
            sound=stock(thing, asyncio.Semaphore, ACQUIRE),
            details=(("free", free), ("bound", bound)),
        )


READER = _SemaphoreReader()
