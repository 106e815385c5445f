"""Who is told of stalls: once each is found, and once it is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from asyncconsole.model import Stall

if TYPE_CHECKING:
    from asyncconsole.stall.watch import Watch

Listener = Callable[[Stall], None]
"""Is called on the side thread and must return at once; see `Courier` for one that may not."""

_LOG = logging.getLogger("asyncconsole")


class News:
    """Gathers what a look at the loops has found, and tells it after that look.

    All but `listen` belongs to the side thread.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._ends: tuple[Callable[[], object], ...] = ()
        self._failed: set[int] = set()
        self._heard: list[Watch | Stall] = []

    def listen(self, listener: Listener, end: Callable[[], object] | None = None) -> None:
        """Tell ``listener`` of stalls from now on: each while it lasts, and once it is over.

        A stall that was over before it was found is told once.

        Args:
            listener: Gets the stalls.
            end: Is called when nothing is watched any more.
        """
        self._listeners = (*self._listeners, listener)
        if end is not None:
            self._ends = (*self._ends, end)

    def found(self, watch: Watch) -> None:
        """A loop is stalled."""
        if self._listeners:
            self._heard.append(watch)

    def over(self, stall: Stall) -> None:
        """A stall has ended."""
        if self._listeners:
            self._heard.append(stall)

    def end(self) -> None:
        """There will be no more for now."""
        for end in self._ends:
            try:
                end()
            except Exception:
                _LOG.exception("Somebody who is told of stalls failed at the end.")

    def tell(self, now: float) -> None:
        """Tell everybody; ``now`` is the monotonic time.

        Not in the middle of a look: that must not give the GIL back where it doesn't know.
        """
        heard, self._heard = self._heard, []
        for item in heard:
            stall = item if isinstance(item, Stall) else item.ongoing(now)
            if stall is None:
                continue  # it ended in the same look, and comes next
            for index, listener in enumerate(self._listeners):
                try:
                    listener(stall)
                except Exception:
                    if index not in self._failed:
                        self._failed.add(index)
                        _LOG.exception("Somebody who is told of stalls failed with one.")
