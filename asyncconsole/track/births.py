"""Where locks are created."""

from __future__ import annotations

import asyncio
import sys
from asyncio import locks as _locks
from collections.abc import Callable
from typing import Any


def births(cls: type, active: Callable[[], bool]) -> Any:
    """An ``__init__`` for a class of locks that remembers where each is created.

    Args:
        cls: Lock or Semaphore.
        active: Says whether it still has to.
    """
    before: Any = cls.__init__  # type: ignore[misc]  # of the class itself
    library, here = vars(_locks), sys._getframe  # noqa: SLF001 - inspect is too slow here
    counted = cls is asyncio.Semaphore

    def made(self: Any, *args: Any, **keywords: Any) -> None:
        before(self, *args, **keywords)
        if not active():
            return
        try:
            frame: Any = here(1)
            while frame.f_globals is library:
                frame = frame.f_back  # a Condition's lock, a BoundedSemaphore
            if type(self) is not cls:
                frame = _creator(type(self), frame)
            if counted:
                self._asyncconsole_made = frame.f_code, frame.f_lasti, self._value
            else:
                self._asyncconsole_made = frame.f_code, frame.f_lasti
        except Exception:  # no frame, or a class that takes no attributes: a class of its own
            return

    return made


def _creator(cls: type, frame: Any) -> Any:
    """The frame that created an instance of a subclass, outside of its constructors."""
    inits = {id(getattr(vars(base).get("__init__"), "__code__", None)) for base in cls.__mro__}
    while frame.f_back is not None and id(frame.f_code) in inits:
        frame = frame.f_back
    return frame
