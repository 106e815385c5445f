"""`start` and `Console`: a console in this process, at most one at a time."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import complaints, quiet, roll
from asyncconsole.serve import address, discovery, journal, loading, pace
from asyncconsole.serve.address import DEFAULT_PORT
from asyncconsole.serve.door import Door
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.live import LiveTarget
from asyncconsole.serve.rules import Rules
from asyncconsole.serve.server import Server
from asyncconsole.serve.side import SideThread
from asyncconsole.serve.sinks import wanted_sinks
from asyncconsole.stall import courier

if TYPE_CHECKING:
    import signal
    import ssl
    from collections.abc import Callable

    from asyncconsole.commands.port import Target
    from asyncconsole.model import Stall
    from asyncconsole.model.status import ProbeStatus
    from asyncconsole.serve.signaled import SignalDump
    from asyncconsole.serve.sinks import OnStall, StallFile

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
        import asyncio  # noqa: PLC0415 - has long been loaded by whoever awaits this

        deadline = time.monotonic() + _CLOSING
        side = self._begin_close()
        # Not join(): the program's loop goes on while the side thread says goodbye.
        while side is not None and side.thread.is_alive() and time.monotonic() < deadline:  # noqa: ASYNC110 - it is a thread
            await asyncio.sleep(0.002)
        deadline = min(deadline, time.monotonic() + journal.PATIENCE)
        parts = (journal, loading, courier)
        while any(part.pending() for part in parts) and time.monotonic() < deadline:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.002)

    def open(
        self, host: str, port: int, tls: ssl.SSLContext | None, *, unix: bool, strict: bool
    ) -> None:
        """Bind everything; the TCP port may fail, the rest is done without."""
        sock = address.listen_tcp(host, port, strict=strict)
        self._doors.append(Door(sock, tls))
        self.host, self.port = sock.getsockname()[:2]
        try:
            directory = discovery.prepare()
        except OSError as error:
            address.note_missing("Unix socket and no discovery record", error)
            return
        if unix and hasattr(sock, "sendmsg") and os.name == "posix":
            self._open_unix(directory / f"{os.getpid()}.sock")
        record = discovery.describe(self.host, self.port, self.socket_path)
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


def start(
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    unix_socket: bool = True,
    locals: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's name
    read_only: bool = False,
    repl: bool = True,
    auth: str | None = None,
    tls: ssl.SSLContext | tuple[str, str] | None = None,
    stall_threshold: float | None = None,
    track_tasks: bool | int = False,
    track_locks: bool = False,
    watch: float | None = None,
    polls: bool = False,
    on_stall: OnStall | None = None,
    stall_log: StallFile | None = None,
    dump_signal: signal.Signals | int | str | bool | None = None,
    dump_file: str | os.PathLike[str] | None = None,
    abort_after: float | None = None,
    strict_port: bool = False,
) -> Console:
    """Serve a console from a side thread of this process.

    Works before ``asyncio.run()`` and inside a running loop, and watches every event
    loop of the process. Called again, it returns the console that runs already.

    Args:
        host: IP address to listen on. Anything but loopback needs ``auth`` and ``tls``.
        port: TCP port; 0 for any free one. When the default is taken its neighbours
            up to 50116 are tried, then any free one; so is any for an explicit port.
        unix_socket: Also listen on a Unix socket, for this user alone.
        locals: Names for the REPL, besides the program's own.
        read_only: Serve no command that changes the program, and no REPL.
        repl: Serve the REPL.
        auth: A token that lets in who is neither this user nor root.
        tls: A server-side SSLContext, or (certfile, keyfile).
        stall_threshold: Seconds after which a loop that runs no callback counts as
            stalled; None for the default, 0 for no probe. When given, stalls are logged as
            warnings to the logger ``asyncconsole.stalls``.
        track_tasks: Record where each task is created, by whom, and how it ends; a number
            asks for that many frames of the creation chain.
        track_locks: Record who takes each lock and semaphore, also explicitly.
        watch: Seconds between two checks of the program by itself; what it finds is logged
            once, to the logger ``asyncconsole.findings``. None for no checks.
        polls: Time every callback, for ``stalls --top`` and ``where``.
        on_stall: Called with each `Stall`, from a thread of its own: once it is found, while
            it lasts, and once it is over. What it raises is logged once.
        stall_log: Path of a file that gets a line of JSON for each stall that is over; None
            for what ``ASYNCCONSOLE_STALL_LOG`` says, if anything.
        dump_signal: Write a full dump (see `asyncconsole.dump`) whenever this signal comes, also
            while every loop is blocked; True for SIGUSR1 (SIGBREAK on Windows). None leaves it
            to the variable ASYNCCONSOLE_DUMP_SIGNAL.
        dump_file: Append those dumps to this file; None for stderr.
        abort_after: Seconds after which a loop that is still blocked ends the process: all
            there is to know goes to stderr, then it exits at once, with 75, for a supervisor
            that starts it anew. None for never.
        strict_port: Raise when an explicitly given port is taken.

    Returns:
        The console; a closed one, and a line in the log, when it could not start.

    Raises:
        ValueError: An argument is wrong; the message says what to give.
        OSError: ``strict_port`` and the port is taken.
    """
    address.check_host(host)
    address.check_port(port)
    context = address.check_exposure(host, auth, tls)
    if polls and stall_threshold == 0:
        msg = "polls=True needs the stall probe: leave stall_threshold=0 out."
        raise ValueError(msg)
    if watch is not None and not 0 < watch < float("inf"):
        msg = f"watch={watch!r}: give seconds between two checks, or None."
        raise ValueError(msg)
    if isinstance(track_tasks, int) and track_tasks < 0:
        msg = f"track_tasks={track_tasks!r}: give True, False or a number of frames."
        raise ValueError(msg)
    dump = _signal_dump(dump_signal, dump_file)
    rules = Rules(read_only=read_only, repl=repl)
    options = {
        "locals": locals,
        "read_only": read_only,
        "stall_threshold": stall_threshold,
        "track_tasks": track_tasks,
        "track_locks": track_locks,
        "watch": watch,
        "polls": polls,
        "sinks": wanted_sinks(stall_threshold, on_stall, stall_log, abort_after),
    }
    return launch(
        LiveTarget,
        rules,
        auth,
        options,
        host=host,
        port=port,
        tls=context,
        unix=unix_socket,
        strict=strict_port,
        dump=dump,
    )


def _signal_dump(number: Any, file: Any) -> SignalDump | None:
    """What is to be dumped at a signal, if anybody asked for it."""
    if number is None and file is None and "ASYNCCONSOLE_DUMP_SIGNAL" not in os.environ:
        return None
    from asyncconsole.serve import signaled  # noqa: PLC0415 - for whoever asked

    return signaled.wanted(number, file)


def launch(
    make_target: MakeTarget,
    rules: Rules,
    token: str | None,
    options: dict[str, Any],
    *,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    unix: bool,
    strict: bool,
    dump: SignalDump | None = None,
) -> Console:
    """`start` with checked arguments, for any kind of target.

    Args:
        make_target: ``make_target(side_loop, **options)`` gives a `Target` that also
            has ``start()`` and ``close()``; called on the side thread.
        rules: What sessions may do.
        token: Lets in who is neither this user nor root.
        options: For ``make_target``.
        host: As for `start`.
        port: As for `start`.
        tls: For the TCP port.
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
            console.open(host, port, tls, unix=unix, strict=strict)
            console.serve(make_target, rules, token, options)
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
    for part in (journal, pace, loading, quiet, complaints, courier):
        part.forked()
    for hooks in ("asyncconsole.track.tracker", "asyncconsole.stall.polls"):
        if hooks in sys.modules:
            sys.modules[hooks].forked()
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
