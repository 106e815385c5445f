"""``asyncio.Event``."""

from __future__ import annotations

import asyncio
from typing import Any

from asyncconsole.capture.objects import attribute
from asyncconsole.capture.readers.reader import Facts, Reader, code, futures_of


class _EventReader(Reader):
    type = asyncio.Event
    waits = dict.fromkeys(code(asyncio.Event, "wait"), "event")

    def read(self, thing: Any) -> Facts:
        is_set = bool(attribute(thing, "_value"))
        return Facts(
            state="set" if is_set else "not set",
            locked=not is_set,
            queue=tuple((future, "") for future in futures_of(thing, "_waiters")),
        )


READER = _EventReader()
