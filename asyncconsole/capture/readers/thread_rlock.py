"""``threading.RLock``, held by a task that is suspended inside of its ``with``.

The thread of the loop holds it, however many of its tasks are inside: it keeps other
threads out, and no other task of that thread. So it has no number of permits.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from asyncconsole.capture.readers.reader import Facts, Reader

_RLock: Any = type(threading.RLock())
_COUNTED = sys.version_info >= (3, 14)
"""Whether it has ``locked()``; before, only its ``__repr__`` (in C) tells."""


class _ThreadRLockReader(Reader):
    type = _RLock
    waits = {}  # threads wait for it, tasks can't  # noqa: RUF012 - as in every reader
    holdable = True
    title = "threading.RLock"

    def read(self, thing: Any) -> Facts:
        text = "" if _COUNTED else _RLock.__repr__(thing)
        locked = _RLock.locked(thing) if _COUNTED else text.startswith("<locked")
        return Facts(
            state="locked" if locked else "unlocked",
            locked=locked,
            taken=int(locked),
        )


READER = _ThreadRLockReader()
