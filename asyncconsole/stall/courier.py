"""Brings stalls to those who may be slow, each from a thread of its own.

A callback, a log handler or a disk may block for as long as it likes, and often does so just
when a loop is stalled: the probe goes on meanwhile. The thread comes with the first stall and
goes when there are no more, so that an idle program has none.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from asyncconsole.model import Stall

WAITING = 64
"""Stalls that wait for one receiver; of more, the oldest are dropped and counted."""

PATIENCE = 1.0
"""Seconds that `settle` waits."""

_LOG = logging.getLogger("asyncconsole")

_on_their_way: set[threading.Thread] = set()


class Courier:
    """A listener (`News.listen`) that hands stalls on, in order, one at a time.

    Args:
        receive: Gets each stall. What it raises is logged once.
        name: What it is called in the log and in its thread's name.
    """

    def __init__(self, receive: Callable[[Stall], object], name: str) -> None:
        self._receive = receive
        self._name = name
        self._lock = threading.Lock()
        self._queue: deque[Stall] = deque()
        self._dropped = 0
        self._busy = False
        self._failed = False

    def __call__(self, stall: Stall) -> None:
        """Hand it on soon; never blocks."""
        with self._lock:
            self._queue.append(stall)
            if len(self._queue) > WAITING:
                self._queue.popleft()
                self._dropped += 1
        if self._take():
            self._send()

    def finish(self) -> None:
        """Hand on, on this thread, what no thread could be had for.

        For the very end: from 3.12 on no thread starts while the interpreter shuts down.
        """
        if self._queue and self._take():
            self._run()

    def _take(self) -> bool:
        """True for whoever is to hand on what waits; false while somebody does."""
        with self._lock:
            taken, self._busy = not self._busy, True
            return taken

    def _send(self) -> None:
        """Have a thread do it."""
        thread = threading.Thread(target=self._run, name=f"asyncconsole {self._name}", daemon=True)
        _on_their_way.add(thread)
        try:
            thread.start()
        except RuntimeError:  # see `finish`; or the machine has no thread to spare now
            _on_their_way.discard(thread)
            with self._lock:
                self._busy = False

    def _run(self) -> None:
        try:
            while True:
                with self._lock:
                    if not self._queue:
                        self._busy = False
                        return
                    stall = self._queue.popleft()
                    dropped, self._dropped = self._dropped, 0
                if dropped:
                    _LOG.warning("%s is slow: %d stalls did not reach it.", self._name, dropped)
                self._hand(stall)
        finally:
            _on_their_way.discard(threading.current_thread())

    def _hand(self, stall: Stall) -> None:
        try:
            self._receive(stall)
        except BaseException as error:  # also SystemExit: it may be the program's function
            if not self._failed:
                self._failed = True
                known = isinstance(error, OSError)
                _LOG.error(
                    "%s has missed a stall, which is said once: %s",
                    self._name,
                    error,
                    exc_info=None if known else error,
                )


def pending() -> bool:
    """True while stalls are on their way."""
    return bool(_on_their_way)


def settle() -> None:
    """Wait a moment for stalls that are on their way."""
    end = time.monotonic() + PATIENCE
    for thread in tuple(_on_their_way):
        if thread is not threading.current_thread():
            thread.join(max(0.0, end - time.monotonic()))


def forked() -> None:
    """In a forked child: the threads are not here."""
    _on_their_way.clear()
