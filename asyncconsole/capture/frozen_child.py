"""The far side of a frozen copy: what the forked child does before, during and after its job.

It is alone: no thread of the program but this one exists here, any lock may be held for
ever by one that does not, and every descriptor, signal and buffer is shared with or
inherited from the program. So it lets go of all of them first, writes to one pipe with
`os.write` alone, logs nothing, and leaves by `os._exit`, so that no ``atexit`` function
runs and no buffer of the program is written a second time.
"""

from __future__ import annotations

import fcntl
import gc
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

HEAD = struct.Struct("!cI")
"""Of each record: its kind and the number of bytes that follow.

``P`` who works (pid and time of birth), ``D`` a piece of the answer, ``E`` why there is no
more of it, ``Z`` that was all.
"""

_taken_off: list[Any] = []
_NICE = 10
_KEPT = {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE}  # a write to nobody is to be an error
_TOOLS = 6  # of sys.monitoring


def work(
    pipe: int, job: Callable[[], Iterable[bytes]], seconds: float, most_bytes: int
) -> NoReturn:
    """Be the forked child: fork once more, do the job, never return.

    The second fork makes the worker nobody's child but init's: a program that waits for
    all of its children does not wait for ours.

    Args:
        pipe: Where to write; every other descriptor is closed.
        job: Gives the answer piece by piece.
        seconds: After that many the kernel ends the worker.
        most_bytes: A longer answer is cut off.
    """
    try:
        gc.disable()  # a collection would run finalizers of the program
        pipe = _seal(pipe)
        _calm()
        signal.setitimer(signal.ITIMER_REAL, seconds)
        if not os.fork():
            signal.setitimer(signal.ITIMER_REAL, seconds)  # timers are not inherited
            _yield_to_others(seconds)
            _answer(pipe, job, most_bytes)
    finally:
        os._exit(0)


def _seal(pipe: int) -> int:
    """Close every inherited descriptor but the pipe; what is printed goes nowhere."""
    if pipe <= 2:  # noqa: PLR2004 - the three standard descriptors
        pipe = fcntl.fcntl(pipe, fcntl.F_DUPFD_CLOEXEC, 3)
    try:
        most = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    except (OSError, ValueError):
        most = min(os.sysconf("SC_OPEN_MAX"), 65_536)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, most + 1)
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    if null > 2:  # noqa: PLR2004 - as above
        os.close(null)
    return pipe


def _calm() -> None:
    """No handler, tracer or hook of the program runs from here on."""
    # What is taken off is kept: to a job that looks at references it is still in use.
    for number in signal.valid_signals() - _KEPT:
        with suppress(OSError, ValueError, RuntimeError):
            _taken_off.append(signal.signal(number, signal.SIG_DFL))
    _taken_off.extend((sys.gettrace(), sys.getprofile(), sys.unraisablehook))
    signal.set_wakeup_fd(-1)
    # Blocked since before the fork; what came meanwhile was not for us.
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    sys.settrace(None)
    sys.setprofile(None)
    if sys.version_info >= (3, 12):
        for tool in range(_TOOLS):
            if sys.monitoring.get_tool(tool) is not None:
                sys.monitoring.set_events(tool, 0)
    sys.unraisablehook = lambda _: None


def _yield_to_others(seconds: float) -> None:
    """The program comes first, for the processor and for memory."""
    with suppress(OSError):
        os.nice(_NICE)
    with suppress(OSError):  # where memory runs out, this is what the kernel ends
        Path("/proc/self/oom_score_adj").write_bytes(b"1000")
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):
        most = int(seconds) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))


def _answer(pipe: int, job: Callable[[], Iterable[bytes]], most_bytes: int) -> None:
    _write(pipe, b"P", f"{os.getpid()} {birth(os.getpid())[1]}".encode())
    written = 0
    try:
        for piece in job():
            written += len(piece)
            if written > most_bytes:
                _write(pipe, b"E", b"its answer is longer than %d bytes" % most_bytes)
                return
            _write(pipe, b"D", piece)
    except BaseException as broken:  # whatever it is, nobody else is here to be told
        _write(pipe, b"E", f"{type(broken).__name__}: {broken}"[:500].encode("utf-8", "replace"))
    else:
        _write(pipe, b"Z", b"")


def _write(pipe: int, kind: bytes, payload: bytes) -> None:
    left = memoryview(HEAD.pack(kind, len(payload)) + payload)
    while left:
        left = left[os.write(pipe, left) :]


def birth(pid: int) -> tuple[int, int]:
    """Parent of a process, and when it began in ticks since boot: a pid alone may be another's.

    Raises:
        OSError: There is no such process.
    """
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[1]), int(fields[19])
