"""Work on a frozen copy of the program: a forked child that reads, answers, and ends.

The child sees everything as it was at one moment, takes as long as it needs and costs
the program only the fork itself (some 10 to 40 ms for each GiB of memory, in which
every thread stands still). For heavy analyses that somebody asks for, never for
periodic ones. Linux only.

What the program may notice: its ``os.register_at_fork`` functions run, SIGCHLD arrives
once, and a ``waitpid(-1)`` of its own may be told of a child that it does not know and
that has ended at once. The worker itself is not its child but init's (in a container
whose process 1 does not wait for orphans, a zombie of it stays; where the program is
process 1 itself, its zombie is taken here).
"""

from __future__ import annotations

import _imp
import os
import select
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from asyncconsole.capture import memory, quiet

Job = Callable[[], Iterable[bytes]]
"""What the child does: gives its answer in pieces. It must take no lock of anybody's."""

GIB = 1 << 30
MOST_MEMORY = 2 * GIB
"""Resident bytes above which a program is not copied: the fork would stop it for too long."""

MOST_BYTES = 64 << 20
"""Bytes of an answer."""

PATIENCE = 3.0
"""Seconds that a fork may take. The program's at-fork functions run in it, and may block."""

_GRACE = 1.0
"""Seconds after which a worker that was not ended at its deadline ends itself."""

_REAP = 5.0
"""Seconds in which a killed worker is gone."""


class NoCopyError(Exception):
    """There is no frozen copy, or none any more; the message is a line that says why."""


class BusyError(NoCopyError):
    """There can be no copy at this moment: another one is not gone yet, or there is an import."""


def _plain(fork: Callable[[], int]) -> int:
    return fork()


# Since 3.12 os.fork() warns where there are threads. The warning is right in general and
# void here, it must not be printed, and under `-W error` 3.15 raises it after the fork, so
# that the pid is lost. `warnings.catch_warnings` and new filters change what all threads
# see. But a warning whose module has no name is dropped (Python/_warnings.c, warn_explicit),
# and the module is taken from the globals of the frame that calls.
_fork: Callable[[Callable[[], int]], int] = types.FunctionType(
    _plain.__code__, {"__name__": None, "__builtins__": {}}
)


class Copy:
    """One frozen copy at work. Nothing here blocks; `run` does.

    Args:
        job: What it does; give an object that needs nothing but memory to run.
        deadline: Seconds until it is ended, the fork included.
        most_memory: Resident bytes above which the program is not copied.
        most_bytes: Bytes of its answer.

    Attributes:
        pause: Seconds that the fork took: the program stood still meanwhile.

    Raises:
        NoCopyError: It can't be had here, or would cost too much.
    """

    def __init__(
        self,
        job: Job,
        deadline: float,
        *,
        most_memory: int = MOST_MEMORY,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        _check(most_memory)
        self._job = job
        self._seconds = deadline
        self._most = most_bytes
        self._began = time.monotonic()
        self._buffer = bytearray()
        self._received = 0
        self._over = threading.Event()
        self._forked = False
        self.pause = 0.0
        self._failure = ""
        self._first: tuple[int, int] | None = None  # the child between us and the worker
        self._worker: tuple[int, int] | None = None
        self._input, self._output = os.pipe()
        os.set_blocking(self._input, False)
        self._thread = threading.Thread(
            target=self._run, name="asyncconsole-frozen", daemon=True
        )  # a name by which the console knows its own threads
        global _latest  # noqa: PLW0603 - one copy at a time, for the process
        _latest = self
        try:
            self._thread.start()
        except RuntimeError as error:  # the interpreter ends, or there are too many threads
            os.close(self._output)
            self.close()
            msg = f"no thread to fork from: {error}"
            raise NoCopyError(msg) from None

    @property
    def working(self) -> bool:
        """True until all of this copy is gone: processes, descriptors, thread."""
        return self._thread.is_alive()

    def fileno(self) -> int:
        """Readable when `read` has something to do; -1 once the answer is complete."""
        return self._input

    def read(self) -> list[bytes] | None:
        """The pieces that have come since; None once the answer is complete.

        Raises:
            NoCopyError: There will be no more: the job failed, was too slow, or too long.
        """
        quiet.check()
        if self._over.is_set():
            return None
        try:
            return self._read()
        except BaseException:
            self.close()
            raise

    def _read(self) -> list[bytes] | None:
        ended = False
        with suppress(BlockingIOError):
            for _ in range(16):
                piece = os.read(self._input, 1 << 16)
                self._buffer += piece
                if not piece:
                    ended = True
                    break
        pieces, complete = self._records()
        if pieces:
            if complete:
                self.close()
            return pieces
        if complete:
            self.close()
            return None
        if self._failure:
            raise NoCopyError(self._failure)
        if ended:
            msg = "the frozen copy was ended before it was done (by whom can't be known from here)"
            raise NoCopyError(msg)
        self._be_patient()
        return []

    def _be_patient(self) -> None:
        """Give up a fork or a worker that takes too long."""
        taken = time.monotonic() - self._began
        if taken > self._seconds:
            msg = f"the frozen copy was not done after {self._seconds:g} s"
        elif self._worker is None and taken > PATIENCE:
            where = "in the child" if self._forked else "in the program"
            msg = (
                f"os.fork() was not done after {PATIENCE:g} s: "
                f"an os.register_at_fork() function seems to block {where}"
            )
        else:
            return
        raise NoCopyError(msg)

    def _records(self) -> tuple[list[bytes], bool]:
        """Whole records from the buffer: pieces, and whether that was the last one."""
        from asyncconsole.capture.frozen_child import HEAD  # noqa: PLC0415 - POSIX only

        found: list[bytes] = []
        while len(self._buffer) >= HEAD.size:
            kind, size = HEAD.unpack_from(self._buffer)
            if len(self._buffer) < HEAD.size + size:
                break
            payload = bytes(self._buffer[HEAD.size : HEAD.size + size])
            del self._buffer[: HEAD.size + size]
            if kind == b"Z":
                return found, True
            if kind == b"E":
                msg = f"the frozen copy failed: {payload.decode('utf-8', 'replace')}"
                raise NoCopyError(msg)
            if kind == b"P":
                pid, born = payload.split()
                self._worker = int(pid), int(born)
            else:
                found.append(payload)
        return found, False

    def close(self) -> None:
        """End it, whatever it does; may be called again. The rest is tidied up by its thread."""
        if self._over.is_set():
            return
        self._over.set()
        os.close(self._input)
        self._input = -1
        if self._first is not None:  # it hangs in a function of the program's, after the fork
            _kill(*self._first)

    # From here on: in the thread that forks.

    def _run(self) -> None:
        try:
            # Blocked in the child from its first moment: a handler there would write to
            # the wakeup descriptor that it shares with the program's loop.
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            self._split()
            self._over.wait(self._seconds + PATIENCE)
            if self._worker is not None:
                _end(*self._worker)
        except Exception as error:  # an answer, where a traceback would go to the host's stderr
            self._failure = f"no frozen copy: {type(error).__name__}: {error}"

    def _split(self) -> None:
        from asyncconsole.capture import frozen_child  # noqa: PLC0415 - as above

        pid = -1
        try:
            with quiet.quiet():  # no finalizer of the program runs in the child
                began = time.monotonic()
                try:
                    pid = _fork(os.fork)
                except (OSError, RuntimeError) as error:  # no memory, or the interpreter ends
                    self._failure = f"no frozen copy: os.fork(): {error}"
                    return
                if not pid:
                    if self._over.is_set():  # given up while the fork was blocked
                        os._exit(0)
                    left = self._seconds - (time.monotonic() - self._began)
                    frozen_child.work(self._output, self._job, max(0.01, left) + _GRACE, self._most)
            self.pause = time.monotonic() - began
            self._forked = True
        finally:
            if pid:
                os.close(self._output)
        with suppress(OSError):  # gone, and taken already
            self._first = pid, frozen_child.birth(pid)[1]
        if self._over.is_set() and self._first is not None:
            _kill(*self._first)
        with suppress(ChildProcessError):  # the program's own waitpid(-1) was quicker
            os.waitpid(pid, 0)
        self._first = None


_latest: Copy | None = None


def run(
    job: Job, deadline: float, *, most_memory: int = MOST_MEMORY, most_bytes: int = MOST_BYTES
) -> Iterator[bytes]:
    """Do a job in a frozen copy of this process and wait for its answer.

    Args:
        job: Called in the child; what it gives comes out here, piece by piece.
        deadline: Seconds after which the child is ended.
        most_memory: Resident bytes above which the program is not copied.
        most_bytes: Bytes of the answer.

    Returns:
        The pieces of the answer, as they come.

    Raises:
        NoCopyError: There is no copy, or it did not answer in full; says why.
    """
    return answer(Copy(job, deadline, most_memory=most_memory, most_bytes=most_bytes))


def answer(copy: Copy) -> Iterator[bytes]:
    """Wait for the answer of a copy; ends it.

    Yields:
        The pieces of the answer.

    Raises:
        NoCopyError: It did not answer in full; says why.
    """
    try:
        while (pieces := copy.read()) is not None:
            yield from pieces
            if not pieces:
                poll = select.poll()  # select() stops at descriptor 1023
                poll.register(copy.fileno(), select.POLLIN)
                poll.poll(50)
    finally:
        copy.close()


def _check(most: int) -> None:
    """Refuse what can't be done here or would hurt."""
    if sys.platform != "linux":
        msg = "a frozen copy is made on Linux only"
        raise NoCopyError(msg)
    if _latest is not None and _latest.working:
        msg = "another frozen copy is at work, or its os.fork() is still blocked"
        raise BusyError(msg)
    if _imp.lock_held():
        # os.fork() waits for that lock (PyOS_BeforeFork), and by then `logging` has locked
        # itself: the whole program could log nothing until the import is over.
        msg = "the program is inside an import, and os.fork() would wait for it to end"
        raise BusyError(msg)
    try:
        size = memory.resident()
    except OSError as error:
        msg = f"the size of the program is not known: {error}"
        raise NoCopyError(msg) from None
    if size > most:
        msg = (
            f"the program has {size / GIB:.1f} GiB of memory, and above {most / GIB:g} GiB it is "
            "not forked (it would stand still meanwhile)"
        )
        raise NoCopyError(msg)
    left = memory.free()
    if left is not None and size > left:
        msg = (
            f"a copy may need {size / GIB:.1f} GiB of memory, and only {left / GIB:.1f} GiB is free"
        )
        raise NoCopyError(msg)


def _kill(pid: int, born: int) -> None:
    """End a process, if that number still is the process that was born then."""
    from asyncconsole.capture.frozen_child import birth  # noqa: PLC0415 - POSIX only

    with suppress(OSError, IndexError):  # gone; or a kernel without pidfd: its alarm ends it
        handle = os.pidfd_open(pid)
        try:
            if birth(pid)[1] == born:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)


def _end(pid: int, born: int) -> None:
    """End the worker, and take its zombie where it is ours (as init, or as a subreaper)."""
    from asyncconsole.capture.frozen_child import birth  # noqa: PLC0415 - POSIX only

    _kill(pid, born)
    until = time.monotonic() + _REAP
    while time.monotonic() < until:
        try:
            parent, begun = birth(pid)
            if begun != born or parent != os.getpid() or os.waitpid(pid, os.WNOHANG)[0]:
                return
        except (OSError, IndexError):  # gone
            return
        time.sleep(0.005)
