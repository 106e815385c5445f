"""``threading.Lock``, held by a task that is suspended inside of its ``with``."""

from __future__ import annotations

import threading
from typing import Any

from asyncconsole.capture.readers.reader import Facts, Reader

_Lock: Any = type(threading.Lock())


class _ThreadLockReader(Reader):
    type = _Lock
    waits = {}  # threads wait for it, tasks can't  # noqa: RUF012 - as in every reader
    holdable = True
    title = "threading.Lock"

    def read(self, thing: Any) -> Facts:
        locked = _Lock.locked(thing)
        return Facts(
            state="locked" if locked else "unlocked",
            locked=locked,
            permits=1,
            taken=int(locked),
            sound=True,  # a class in C, which can't be subclassed
        )


READER = _ThreadLockReader()
