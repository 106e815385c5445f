"""`StallProbe`: the stall probe by itself, without a console."""

from __future__ import annotations

import atexit
import logging
import os
import time
import weakref
from types import TracebackType
from typing import TYPE_CHECKING

from asyncconsole.capture import roll
from asyncconsole.serve.journal import log as _log
from asyncconsole.serve.journal import note
from asyncconsole.serve.side import SideThread, ended
from asyncconsole.serve.sinks import Sinks
from asyncconsole.stall import Probe, courier
from asyncconsole.stall.collector import COLLECTOR
from asyncconsole.stall.probe import DEFAULT_THRESHOLD

if TYPE_CHECKING:
    from asyncconsole.model import Stall
    from asyncconsole.serve.sinks import OnStall, StallFile

_CLOSING = 4.0
"""Seconds `StallProbe.close` waits for the side thread."""

_running: weakref.WeakSet[StallProbe] = weakref.WeakSet()
_at_fork = False


class StallProbe:
    """Watches every event loop of this process from a thread of its own.

    It watches from the moment it is made, before ``asyncio.run()`` or inside a running loop,
    until it is closed; as a context manager, sync or async, it closes itself. Nothing is
    patched, and no port is opened. Several may run, also beside a console.

    Args:
        threshold: Seconds after which a loop that runs no callback counts as stalled.
        on_stall: Called with each `Stall` once it is found (``stall.ongoing`` is true, where
            it still lasts) and once it is over, from a thread that is nobody else's; it may
            block, and what it raises is logged once.
        stall_log: Path of a file that gets a line of JSON for each stall that is over.
        log: Log stalls as warnings to the logger ``asyncconsole.stalls``.

    Raises:
        ValueError: An argument is wrong; the message says what to give.
    """

    def __init__(
        self,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        on_stall: OnStall | None = None,
        stall_log: StallFile | None = None,
        log: bool = True,
    ) -> None:
        if not 0 < threshold < float("inf"):
            msg = f"threshold={threshold!r}: give seconds, more than 0."
            raise ValueError(msg)
        self._probe: Probe | None = None
        self._side: SideThread | None = None
        sinks = Sinks(log=log, on_stall=on_stall, stall_log=stall_log)
        try:
            self._start(threshold, sinks)
        except Exception:
            _log.exception("the stall probe did not start; the program goes on without it")

    def _start(self, threshold: float, sinks: Sinks) -> None:
        async def setup() -> None:
            known = roll.shared()
            known.loops.ignore(side.loop)
            probe = Probe(side.loop, known.loops, known.number, threshold)
            sinks.attach(probe, side.loop)
            probe.start()
            side.tell(probe)
            self._probe = probe

        async def teardown() -> None:
            if self._probe is not None:
                self._probe.stop()

        side = SideThread(setup, teardown, name="asyncconsole stall probe")
        side.start()
        self._side = side
        _running.add(self)
        atexit.register(self.close)
        _hook()

    @property
    def stalls(self) -> tuple[Stall, ...]:
        """What it has recorded, oldest first, with what goes on; the last 256 that are over."""
        return () if self._probe is None else self._probe.stalls()

    @property
    def closed(self) -> bool:
        """True when it watches nothing (any more)."""
        return self._side is None

    def close(self) -> None:
        """Stop; what was recorded stays. From any thread, any number of times; within 5 s."""
        deadline = time.monotonic() + _CLOSING
        side = self._begin_close()
        if side is not None and not side.join(deadline):
            note(_log, logging.ERROR, "the stall probe's thread is stuck; it is left behind")
        courier.settle()

    def _begin_close(self) -> SideThread | None:
        side, self._side = self._side, None
        _running.discard(self)
        if side is not None:
            atexit.unregister(self.close)
            side.stop()
        return side

    def __enter__(self) -> StallProbe:  # noqa: PYI034 - Self came with 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> StallProbe:  # noqa: PYI034 - as above
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        deadline = time.monotonic() + _CLOSING
        await ended(self._begin_close(), (courier.pending,), deadline, courier.PATIENCE)

    def _abandon(self) -> None:
        """In a forked child: the thread is the parent's; drop our copies of its descriptors."""
        side, self._side = self._side, None
        atexit.unregister(self.close)
        try:
            if side is not None:
                side.abandon()
        except Exception:
            _log.exception("a forked child could not let go of its parent's stall probe")


def _hook() -> None:
    """Be told of forks."""
    global _at_fork  # noqa: PLW0603 - once per process: it can't be taken back
    if not _at_fork and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
        _at_fork = True


def _after_fork() -> None:
    """A forked child has no thread that watches: its probes are closed."""
    courier.forked()
    COLLECTOR.forked()
    for probe in tuple(_running):
        probe._abandon()  # noqa: SLF001 - this module's own class
    _running.clear()
