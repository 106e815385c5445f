"""Big snapshots, freed in slices.

Freed in one go one takes the GIL for long; and so does a collection that meets it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from asyncconsole.capture import quiet

if TYPE_CHECKING:
    from asyncconsole.model import Snapshot, Task

MANY = 2_000
"""Tasks of a snapshot that is freed in slices."""

FREED = 500
"""Tasks freed in one go."""

LONGEST = 30.0
"""Seconds after which a snapshot is no longer waited for."""

_OURS = 2
"""References to something that only one list has, seen by `sys.getrefcount`."""


class Freeing:
    """Keeps big snapshots until nobody else does, and frees them then. On the side thread."""

    def __init__(self) -> None:
        self._kept: list[tuple[Task, ...]] = []
        self._task: asyncio.Task[None] | None = None
        self._rest = ExitStack()

    def keep(self, found: Snapshot) -> None:
        """Have a snapshot freed, if it is a big one, when nobody needs it any more."""
        if len(found.tasks) > MANY:
            self._kept.append(found.tasks)
            if self._task is None or self._task.done():
                self._rest.enter_context(quiet.quiet())
                self._task = asyncio.ensure_future(self._free())

    def close(self) -> None:
        """Let go of all now; may be called again."""
        if self._task is not None:
            self._task.cancel()
        self._rest.close()

    async def _free(self) -> None:
        """Let go of snapshots once they are ours alone."""
        end = time.monotonic() + LONGEST
        with self._rest:
            while self._kept and time.monotonic() < end:
                await asyncio.sleep(0.02)
                quiet.check()
                for index in reversed(range(len(self._kept))):
                    if sys.getrefcount(self._kept[index]) > _OURS:
                        continue
                    tasks = list(self._kept.pop(index))
                    while tasks:
                        del tasks[-FREED:]
                        await asyncio.sleep(0)
            self._kept.clear()
