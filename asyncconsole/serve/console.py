"""`Console` and `launch`: a console in this process, at most one at a time."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import complaints, quiet, roll
from asyncconsole.serve import address, discovery, journal, loading, pace
from asyncconsole.serve.door import Door
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.rules import Rules
from asyncconsole.serve.server import Server
from asyncconsole.serve.side import SideThread, ended
from asyncconsole.stall import courier
from asyncconsole.stall.collector import COLLECTOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncconsole.commands.port import Target
    from asyncconsole.model import Stall
    from asyncconsole.model.status import ProbeStatus
    from asyncconsole.serve.exposure import Exposure
    from asyncconsole.serve.signaled import SignalDump

    MakeTarget = Callable[..., Target]

_CLOSING = 4.0
"""Seconds `Console.close` waits for the side thread; then one more for lines of the log."""

_running: Console | None = None
_lock = threading.RLock()
_at_fork = False
_inherited: list[Console] = []
"""In a forked child: the parent's console. Kept, so that nothing of it is collected."""


class Console:
    """A console that serves this process.

    Use it as a context manager, sync or async, or call `close`.

    Attributes:
        host: Address it listens on; None once closed or when it could not start.
        port: Its TCP port; None likewise.
        socket_path: Its Unix socket; None when there is none.
    """

    def __init__(self) -> None:
        self.host: str | None = None
        self.port: int | None = None
        self.socket_path: str | None = None
        self._doors: list[Door] = []
        self._files: list[Path] = []
        self._side: SideThread | None = None
        self._server: Server | None = None
        self._target: Any = None
        self._dump: SignalDump | None = None

    @property
    def closed(self) -> bool:
        """True when it serves nobody (any more)."""
        return self._side is None

    @property
    def serving(self) -> bool:
        """True while its thread runs."""
        return self._side is not None and self._side.thread.is_alive()

    def close(self) -> None:
        """Hang up, stop the side thread, remove every file and hook; returns within 5 s.

        May be called from any thread, any number of times. From the console's own
        thread it asks for the end and returns.
        """
        deadline = time.monotonic() + _CLOSING
        side = self._begin_close()
        if side is not None and side.inside:
            return
        if side is not None and not side.join(deadline):
            note(log, logging.ERROR, "the console's thread is stuck; it is left behind")
        loading.settle(min(deadline, time.monotonic() + journal.PATIENCE))
        courier.settle()
        journal.settle()

    def _begin_close(self) -> SideThread | None:
        """Ask for the end and forget everything; the thread to wait for, if any."""
        global _running  # noqa: PLW0603 - one console per process
        side, self._side = self._side, None
        self._drop_signal()
        if side is None:
            self._drop_doors()
        if _running is self:
            _running = None
            atexit.unregister(_close_at_exit)
        self._remove_files()
        if side is not None:
            side.stop()
        self.host = self.port = self.socket_path = None
        return side

    def _drop_doors(self) -> None:
        """Close what was bound for a side thread that never came to be."""
        for door in self._doors:
            door.sock.close()
        self._doors = []

    def dump_at(self, dump: SignalDump) -> None:
        """Dump everything at a signal, from now on."""
        if self._side is not None and dump.install(self._side.loop, self._target):
            self._dump = dump

    def _drop_signal(self) -> None:
        dump, self._dump = self._dump, None
        if dump is not None:
            dump.remove()

    def _remove_files(self) -> None:
        for path in self._files:
            with contextlib.suppress(OSError):
                path.unlink()
        self._files.clear()

    def __enter__(self) -> Console:  # noqa: PYI034 - Self came with 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Console:  # noqa: PYI034 - as above
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        deadline = time.monotonic() + _CLOSING
        pending = (journal.pending, loading.pending, courier.pending)
        await ended(self._begin_close(), pending, deadline, journal.PATIENCE)

    def open(self, host: str, port: int, exposed: Exposure, *, unix: bool, strict: bool) -> None:
        """Bind everything; the TCP port may fail, the rest is done without."""
        sock = address.listen_tcp(host, port, strict=strict)
        self._doors.append(Door(sock, exposed.tls, everybody=exposed.everybody))
        self.host, self.port = sock.getsockname()[:2]
        if exposed.everybody:
            message = "INSECURE: whoever reaches %s port %d may look into this program and run code"
            log.warning(message, self.host, self.port)
        try:
            directory = discovery.prepare()
        except OSError as error:
            address.note_missing("Unix socket and no discovery record", error)
            return
        if unix and hasattr(sock, "sendmsg") and os.name == "posix":
            self._open_unix(directory / f"{os.getpid()}.sock")
        record = discovery.describe(
            self.host, self.port, self.socket_path, tls=exposed.tls is not None
        )
        try:
            self._files.append(discovery.write(directory, record))
        except OSError as error:
            address.note_missing("discovery record", error)

    def _open_unix(self, path: Path) -> None:
        try:
            self._doors.append(Door(address.listen_unix(path), None))
        except OSError as error:
            address.note_missing("Unix socket", error)
        else:
            self._files.append(path)
            self.socket_path = str(path)

    def serve(
        self, make_target: MakeTarget, rules: Rules, token: str | None, options: dict[str, Any]
    ) -> None:
        """Start the side thread; raises what went wrong there."""

        async def setup() -> None:
            self._target = make_target(side.loop, **options)
            self._target.start()
            side.tell(self._target.watcher)
            self._server = Server(self._target, self._doors, rules, token)

        async def teardown() -> None:
            server, self._server = self._server, None
            target, self._target = self._target, None
            doors, self._doors = self._doors, []
            try:
                if server is not None:
                    await server.close()
            finally:
                for door in doors:
                    door.sock.close()
                if target is not None:
                    target.close()

        side = SideThread(setup, teardown)
        side.start()
        self._side = side

    def abandon(self) -> None:
        """In a forked child: this console is the parent's; drop our copies of its descriptors."""
        side, self._side = self._side, None
        self._drop_signal()
        for door in self._doors:
            door.sock.close()
        if self._server is not None:
            self._server.abandon()
        if side is not None:
            side.abandon()
        self._files.clear()
        self.host = self.port = self.socket_path = None


def launch(
    make_target: MakeTarget,
    rules: Rules,
    exposed: Exposure,
    options: dict[str, Any],
    *,
    host: str,
    port: int,
    unix: bool,
    strict: bool,
    dump: SignalDump | None = None,
) -> Console:
    """`asyncconsole.start` with checked arguments, for any kind of target.

    Args:
        make_target: ``make_target(side_loop, **options)`` gives a `Target` that also
            has ``start()`` and ``close()``; called on the side thread.
        rules: What sessions may do.
        exposed: Who may see the TCP port, and how.
        options: For ``make_target``.
        host: As for `start`.
        port: As for `start`.
        unix: Also listen on a Unix socket.
        strict: As ``strict_port`` for `start`.
        dump: What is dumped at a signal.

    Raises:
        OSError: ``strict`` and the port is taken.
    """
    global _running  # noqa: PLW0603 - one console per process
    if not _lock.acquire(timeout=_CLOSING):
        log.error("the console did not start: another thread has been starting one for too long")
        return Console()
    try:
        if _running is not None:
            if _running.serving:
                return _running
            _running.close()
        console = Console()
        try:
            console.open(host, port, exposed, unix=unix, strict=strict)
            console.serve(make_target, rules, exposed.token, options)
        except BaseException as error:
            console.close()
            contained = isinstance(error, Exception) and not isinstance(error, address.TakenError)
            if not contained:
                raise
            log.exception("the console did not start; the program goes on without it")
            return console
        _running = console
        _hook()
        if dump is not None:
            console.dump_at(dump)
        return console
    finally:
        _lock.release()


def stalls() -> tuple[Stall, ...]:
    """What the console that runs has recorded; from any thread, nothing without one."""
    target = _running._target if _running is not None else None  # noqa: SLF001 - this module's own class
    return tuple(target.stalls()) if target is not None else ()


def probe_status() -> ProbeStatus | None:
    """What the stall probe of the console that runs is set to; None without one."""
    target = _running._target if _running is not None else None  # noqa: SLF001 - as above
    return target.probe() if target is not None else None


def _hook() -> None:
    """Be told of the program's end and of forks."""
    global _at_fork  # noqa: PLW0603 - once per process: it can't be taken back
    atexit.register(_close_at_exit)
    if not _at_fork and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
        _at_fork = True


def _close_at_exit() -> None:
    if _running is not None:
        _running.close()


def _after_fork() -> None:
    """A forked child has our sockets but not our thread: it closes them and starts afresh."""
    global _running, _lock  # noqa: PLW0603 - the child's own state begins here
    _lock = threading.RLock()
    for part in (journal, pace, loading, quiet, complaints, courier, COLLECTOR):
        part.forked()
    for part_of_some in (
        "asyncconsole.track.tracker",
        "asyncconsole.stall.polls",
        "asyncconsole.own.call",
        "asyncconsole.serve.extensions",
    ):
        if part_of_some in sys.modules:
            sys.modules[part_of_some].forked()
    console = _running
    _running = None
    if console is not None:
        atexit.unregister(_close_at_exit)
        _inherited.append(console)
        try:
            roll.shared().loops.forked()
            console.abandon()
        except Exception:
            log.exception("a forked child could not let go of its parent's console")
