"""What the side thread knows about its own lateness.

The side thread wants to wake at a certain time. When it wakes much later, either the
whole process stood still (SIGSTOP, a suspended machine), or it had to wait for the GIL,
or it was busy itself. A thread that waits for the GIL wakes up to ask for it once per
switch interval, and also each time somebody gives the GIL back (``take_gil`` in
``Python/ceval_gil.c``); the kernel counts that as voluntary context switches. So a
stopped process makes none, a GIL that is held makes one per interval, and a loop with
short turns that always takes the GIL back first makes more: one per turn. Where there is
no such counter, the CPU time of the process decides. A side thread that was ready to run
and had no CPU looks like a stopped process, but the kernel counts that time, too.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from asyncconsole.capture.running import thread_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SLACK = 0.05
"""Seconds of lateness that mean nothing."""

OFTEN = 0.6
"""Part of the questions for the GIL that a held one brings, which are enough for it. Fewer: the
process was stopped for some of that time, and had turns as long as an interval for the rest."""

CLOCKED = 64
"""Threads whose CPU clocks are read in one beat, at most."""

COUNTED = 0.1
"""Seconds for which a count of waits for a CPU is new enough of whoever is fine. To read it costs
a few calls to the kernel; each gives the GIL back, and two threads that both want it get
in each other's way."""

Reason = Literal["none", "frozen", "held", "crowded", "busy", "queued"]
"""Why the side thread was late: not at all; nothing in the process ran; somebody held the
GIL; others were faster in taking the GIL; it was busy itself; it had no CPU."""


class Vitals(NamedTuple):
    """Clocks at one moment, seconds.

    Attributes:
        time: ``time.monotonic()``.
        process: CPU time of the process.
        own: CPU time of the side thread.
        switches: Voluntary context switches of the side thread; None if unknown.
        threads: CPU time by thread ident.
        queued: Time the side thread was ready to run and had no CPU; None if unknown.
        counted: When ``queued`` was read; None for after the others.
    """

    time: float
    process: float
    own: float
    switches: int | None
    threads: dict[int, float]
    queued: float | None = None
    counted: float | None = None


class Rest(NamedTuple):
    """When the side thread last went to wait for events, and its switches by then.

    What it does for clients before that costs switches, too, and many of them.
    """

    time: float
    switches: int | None


class ThreadClock(NamedTuple):
    """Clocks of one thread, seconds.

    Attributes:
        time: ``time.monotonic()``.
        cpu: CPU time it has used.
        queued: Time it was ready to run and had no CPU; None if unknown.
    """

    time: float
    cpu: float
    queued: float | None = None


class Gap(NamedTuple):
    """How late the side thread was, why, and the CPU time others used meanwhile.

    Attributes:
        stopped: Seconds in which the process stood still, or that can't be told from it. A
            stopped process may have been so since the look before, when nobody was late yet.
    """

    reason: Reason
    late: float
    cpu: float
    stopped: float = 0.0


def _switch_counter() -> Callable[[], int] | None:
    """A counter of this thread's voluntary context switches, on Linux."""
    try:
        import resource  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    who = getattr(resource, "RUSAGE_THREAD", None)
    if who is None:
        return None
    return lambda: resource.getrusage(who).ru_nvcsw


_SWITCHES = _switch_counter()

_hurried = -1.0


def rest() -> Rest:
    """The clocks of a thread that goes to wait for events."""
    return Rest(time.monotonic(), None if _SWITCHES is None else _SWITCHES())


def hurried() -> None:
    """The switch interval was lower up to now: waits for the GIL have been more, and shorter."""
    global _hurried  # noqa: PLW0603 - the interval is one for the process
    _hurried = time.monotonic()


def read() -> Vitals:
    """The clocks now. Call it on the side thread."""
    return Vitals(
        time.monotonic(),
        time.process_time(),
        time.thread_time(),
        None if _SWITCHES is None else _SWITCHES(),
        cpu_of(thread_frames().keys()),
    )


def count(now: Vitals, before: Vitals | None) -> Vitals:
    """The clocks with the side thread's waits for a CPU, which may be those of a moment ago."""
    if before is not None and before.counted is not None and now.time - before.counted < COUNTED:
        return uncounted(now, before)
    return now._replace(queued=own_queue(), counted=time.monotonic())


def uncounted(now: Vitals, before: Vitals) -> Vitals:
    """The clocks with the side thread's waits for a CPU of before."""
    return now._replace(queued=before.queued, counted=before.counted)


def cpu_of(threads: Iterable[int]) -> dict[int, float]:
    """CPU seconds of each living thread, by ident; empty where it can't be read."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    if clock_of is None:
        return {}
    found = {}
    for thread in list(threads)[:CLOCKED]:
        # The ident of a thread that has ended would crash in C: it comes from the
        # list of living threads, and nothing lets go of the GIL between there and here.
        try:
            found[thread] = time.clock_gettime(clock_of(thread))
        except (OSError, OverflowError, ValueError):
            continue
    return found


def thread_clock(thread: int | None, vitals: Vitals, *, queue: bool) -> ThreadClock | None:
    """The clocks of one thread; None when its CPU clock can't be read.

    Args:
        thread: Its ident.
        vitals: The readings of this beat.
        queue: Also read how long it had to wait for a CPU; gives the GIL back.
    """
    spent = None if thread is None else vitals.threads.get(thread)
    if thread is None or spent is None:
        return None
    return ThreadClock(vitals.time, spent, _queued(thread) if queue else None)


def used(thread: int | None, before: Vitals, now: Vitals) -> float:
    """CPU seconds of a thread between two readings; 0 where they don't tell."""
    first, last = before.threads.get(thread or 0), now.threads.get(thread or 0)
    return 0.0 if first is None or last is None else last - first


def runnable(thread: int | None) -> bool:
    """True when a thread runs, or would if it had a CPU; False where that can't be read."""
    native = _native(thread)
    if native is None:
        return False
    text = _read(f"/proc/self/task/{native}/stat")
    return text.rpartition(b")")[2].split()[:1] == [b"R"]


def ours(thread: int) -> bool:
    """True for a thread of the console, which has a name that begins with its own."""
    return str(getattr(_known(thread), "_name", "")).startswith("asyncconsole")


def _native(thread: int | None) -> int | None:
    return getattr(_known(thread), "native_id", None)


def _known(thread: int | None) -> object:
    # Not threading.enumerate(): that takes a lock which a blocked thread may hold.
    return threading._active.get(thread)  # type: ignore[attr-defined]  # noqa: SLF001 - see above


def _queued(thread: int) -> float | None:
    """Seconds a thread was ready to run and had no CPU (Linux, where it is counted)."""
    native = _native(thread)
    return None if native is None else _run_delay(f"/proc/self/task/{native}/schedstat")


def own_queue() -> float | None:
    """Seconds the calling thread was ready to run and had no CPU; gives the GIL back."""
    return _run_delay("/proc/thread-self/schedstat")


def _run_delay(path: str) -> float | None:
    """The second number of a ``schedstat`` file, in seconds."""
    try:
        return int(_read(path).split()[1]) / 1e9
    except (ValueError, IndexError):
        return None


def _read(path: str) -> bytes:
    """The start of a file; empty when there is none."""
    # Each call to the kernel gives the GIL back, and a busy program keeps it for 5 ms
    # then: as few as can be.
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            return os.read(file, 128)
        finally:
            os.close(file)
    except OSError:
        return b""


def judge(before: Vitals, now: Vitals, due: float, rested: Rest | None = None) -> Gap:
    """Why the side thread woke at ``now.time`` and not at ``due``.

    Args:
        before: The clocks at the look before.
        now: The clocks at this one.
        due: When this one was to be.
        rested: When it last went to wait for events, if it was after the look before.
    """
    late = now.time - due
    own = now.own - before.own
    cpu = max(0.0, now.process - before.process - own)
    if late <= SLACK:
        return Gap("none", max(0.0, late), cpu)
    if own >= late / 4:
        return Gap("busy", late, cpu)
    since = rested or Rest(before.time, before.switches)
    if since.switches is not None and now.switches is not None:
        interval = max(1e-6, sys.getswitchinterval())
        waits = now.switches - since.switches
        asked = late / max(interval, 0.005)
        if asked >= 4:  # noqa: PLR2004 - fewer can't be told from other waits
            # What the beat before did gave the GIL back, and asked for it again, some times.
            if waits < max(4, asked / 4):
                return Gap("frozen", late, cpu, now.time - before.time)
            calm = waits <= _undisturbed(since.time, now.time)
            return Gap("held" if calm else "crowded", late, cpu)
    if cpu >= late / 2:
        return Gap("held", late, cpu)
    return Gap("frozen", late, cpu, now.time - before.time)


def _undisturbed(start: float, end: float, waited: float = 0.0) -> float:
    """How often a thread can ask for the GIL between two times, unless somebody gives it back.

    Not bounded where the interval was lower at first: whoever keeps others from the GIL then
    doesn't give it back.
    """
    if start < _hurried:
        return math.inf
    return 1.02 * (end - start - waited) / max(1e-6, sys.getswitchinterval()) + 4


def settle(
    gap: Gap, before: Vitals, now: Vitals, queued: float | None, rested: Rest | None = None
) -> Gap:
    """The same gap, with the time in mind in which the side thread waited for a CPU.

    Without one it looks stopped, and asks for the GIL less often than it is woken to.

    Args:
        gap: What `judge` said.
        before: The clocks before the gap.
        now: The clocks after it.
        queued: `own_queue` after it.
        rested: As for `judge`.
    """
    if before.queued is None or queued is None:
        return gap
    since = rested or Rest(before.time, before.switches)
    # What it waited for a CPU before it went to wait for events is not known: all of it, at most.
    # The count may also have been taken later than that, at the end of the beat before.
    first = before.time if before.counted is None else before.counted
    waited = max(0.0, queued - before.queued - max(0.0, since.time - first))
    if gap.reason == "frozen" and waited >= gap.late / 2:
        return gap._replace(reason="queued", stopped=0.0)
    if gap.reason == "held" and since.switches is not None and now.switches is not None:
        waits = now.switches - since.switches
        ran, late = waits * max(sys.getswitchinterval(), 0.005), gap.late - waited
        if ran < OFTEN * late:
            return gap._replace(reason="crowded", stopped=late - ran)
        calm = waits <= _undisturbed(since.time, now.time, waited)
        return gap if calm else gap._replace(reason="crowded")
    return gap
