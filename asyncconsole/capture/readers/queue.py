"""``asyncio.Queue`` and its subclasses: getters, putters, and who joins."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from asyncconsole.capture.objects import Types, attribute
from asyncconsole.capture.readers.reader import Facts, Reader, code, futures_of

_ITEMS = Types(deque, list)


class _QueueReader(Reader):
    type = asyncio.Queue
    waits = (
        dict.fromkeys(code(asyncio.Queue, "get"), "queue_get")
        | dict.fromkeys(code(asyncio.Queue, "put"), "queue_put")
        | dict.fromkeys(code(asyncio.Queue, "join"), "queue_join")
    )

    def read(self, thing: Any) -> Facts:
        items = attribute(thing, "_queue")
        # A subclass may keep its items in anything; only C containers are asked.
        size = len(items) if type(items) in _ITEMS else None
        most = attribute(thing, "_maxsize", 0)
        unfinished = attribute(thing, "_unfinished_tasks", 0)
        finished = attribute(thing, "_finished")
        queue = [(future, "get") for future in futures_of(thing, "_getters")]
        queue += [(future, "put") for future in futures_of(thing, "_putters")]
        if finished is not None:
            queue += [(future, "join") for future in futures_of(finished, "_waiters")]
        count = "?" if size is None else str(size)
        state = f"{count} of {most} items" if most else f"{count} items"
        if unfinished:
            state += f", {unfinished} unfinished"
        if attribute(thing, "_is_shutdown"):
            state += ", shut down"
        full = bool(most) and size is not None and size >= most
        return Facts(
            state=state,
            locked=full or size == 0,
            queue=tuple(queue),
            details=(("size", size), ("maxsize", most), ("unfinished", unfinished)),
        )

    def parts(self, thing: Any) -> tuple[Any, ...]:
        return (attribute(thing, "_finished"),)


READER = _QueueReader()
