"""``asyncio.Lock``. It has no owner field; see ``capture/holders.py`` for who has it."""

from __future__ import annotations

import asyncio
from typing import Any

from asyncconsole.capture.objects import attribute
from asyncconsole.capture.readers.reader import ACQUIRE, Facts, Reader, code, futures_of, stock


class _LockReader(Reader):
    type = asyncio.Lock
    waits = dict.fromkeys(code(asyncio.Lock, "acquire"), "lock")
    holdable = True

    def trusted(self, thing: Any) -> bool:
        # A subclass may enter without taking, or take only once.
        return type(thing) is asyncio.Lock or stock(thing, asyncio.Lock, ACQUIRE)

    def read(self, thing: Any) -> Facts:
        locked = bool(attribute(thing, "_locked"))
        return Facts(
            state="locked" if locked else "unlocked",
            locked=locked,
            queue=tuple((future, "") for future in futures_of(thing, "_waiters")),
            permits=1,
            taken=int(locked),
            sound=stock(thing, asyncio.Lock, ACQUIRE),
        )


READER = _LockReader()
