"""``asyncio.Condition``: who waits to be notified. Its lock is a Lock of its own."""

from __future__ import annotations

import asyncio
from typing import Any

from asyncconsole.capture.objects import attribute
from asyncconsole.capture.readers.reader import Facts, Reader, code, futures_of, stock


class _ConditionReader(Reader):
    type = asyncio.Condition
    waits = dict.fromkeys(code(asyncio.Condition, "wait"), "condition")
    holdable = True

    def read(self, thing: Any) -> Facts:
        locked = bool(attribute(self.guards(thing), "_locked"))
        return Facts(
            state="locked" if locked else "unlocked",
            locked=locked,
            queue=tuple((future, "") for future in futures_of(thing, "_waiters")),
        )

    def guards(self, thing: Any) -> Any:
        lock = attribute(thing, "_lock")
        return lock if issubclass(type(lock), asyncio.Lock) else thing

    def trusted(self, thing: Any) -> bool:
        # wait() gives the lock back in the middle of its ``async with``.
        return stock(thing, asyncio.Condition, ("wait", "wait_for", "__aenter__", "__aexit__"))

    def waits_for(self, thing: Any, future: Any, kind: str) -> bool:
        # Condition.wait() takes the lock again before it returns: a task that is
        # suspended there waits for the lock, not for a notification.
        return any(future is other for other in futures_of(thing, "_waiters"))


READER = _ConditionReader()
