"""`start`: what a program may ask of its console, checked before anything listens."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asyncconsole.serve import address, exposure
from asyncconsole.serve.address import DEFAULT_PORT
from asyncconsole.serve.console import Console, launch
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.live import LiveTarget
from asyncconsole.serve.rules import IDLE, Rules
from asyncconsole.serve.sinks import wanted_sinks

if TYPE_CHECKING:
    import signal

    from asyncconsole.serve.exposure import Auth, Tls
    from asyncconsole.serve.signaled import SignalDump
    from asyncconsole.serve.sinks import OnStall, StallFile


def start(
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    unix_socket: bool = True,
    locals: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's name
    read_only: bool = False,
    repl: bool = True,
    auth: Auth = None,
    tls: Tls = None,
    insecure: bool | None = None,
    idle_timeout: float = IDLE,
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
        auth: A token that lets in who is neither this user nor root; or the path, as a
            ``Path``, of a file with one, which none but its owner may read. None for what
            ``ASYNCCONSOLE_AUTH`` or ``ASYNCCONSOLE_AUTH_FILE`` say.
        tls: A server-side SSLContext, or (certfile, keyfile); None for what
            ``ASYNCCONSOLE_TLS_CERT`` and ``ASYNCCONSOLE_TLS_KEY`` say. For the TCP port.
        insecure: Listen on a non-loopback address also without them. Without ``auth``
            whoever reaches it may run code in this program; a warning in the log says so.
            None for what ``ASYNCCONSOLE_INSECURE`` says.
        idle_timeout: Seconds after which a client that says nothing has to leave.
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
    if not 0 < idle_timeout < float("inf"):
        msg = f"idle_timeout={idle_timeout!r}: give seconds, more than 0."
        raise ValueError(msg)
    try:
        exposed = exposure.wanted(host, auth, tls, insecure=insecure)
    except exposure.SettingError as error:
        # Whoever runs the program set it: that is no reason to take the program down, and
        # none to serve a console that is less guarded than was asked for.
        note(log, logging.ERROR, "the console did not start: %s", error)
        return Console()
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
    rules = Rules(read_only=read_only, repl=repl, idle=idle_timeout)
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
        exposed,
        options,
        host=host,
        port=port,
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
