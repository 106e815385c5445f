"""``asyncio.Barrier`` (3.11 and later)."""

from __future__ import annotations

import asyncio
from typing import Any

from asyncconsole.capture.objects import attribute
from asyncconsole.capture.readers.reader import Facts, Reader, code, futures_of

_STATES = {"FILLING": "filling", "DRAINING": "draining", "RESETTING": "reset", "BROKEN": "broken"}


_Barrier: type = getattr(asyncio, "Barrier", type(None))


class _BarrierReader(Reader):
    type = _Barrier
    waits = dict.fromkeys(code(_Barrier, "wait"), "barrier")

    def read(self, thing: Any) -> Facts:
        parties = attribute(thing, "_parties", 0)
        count = attribute(thing, "_count", 0)
        stage = attribute(attribute(thing, "_state"), "_name_", "")
        waiting = futures_of(attribute(thing, "_cond"), "_waiters")
        return Facts(
            state=f"{count} of {parties} parties, {_STATES.get(stage, stage)}",
            locked=True,
            queue=tuple((future, "") for future in waiting),
            details=(("parties", parties), ("arrived", count)),
        )

    def parts(self, thing: Any) -> tuple[Any, ...]:
        condition = attribute(thing, "_cond")
        return condition, attribute(condition, "_lock")


READER = _BarrierReader()
