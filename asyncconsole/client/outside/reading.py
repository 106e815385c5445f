"""What the kernel tells of a process and its threads (Linux: ``/proc``)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

THREADS = 256
"""Threads of a process that are read, at most."""

_TICK = 100.0 if not hasattr(os, "sysconf") else float(os.sysconf("SC_CLK_TCK"))
_STATE, _UTIME, _STIME, _BEGUN = 0, 11, 12, 19  # in a `stat` file, after the name in brackets


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread at one moment.

    Attributes:
        name: Its name, of which the kernel keeps 15 bytes.
        state: The kernel's letter: R runs or would, S sleeps, D sleeps uninterruptibly,
            T stopped, t traced, Z ended.
        cpu: CPU time it has used, seconds.
        queued: Seconds it was ready to run and had no CPU; None where that isn't counted.
        switches: Voluntary context switches; None where that isn't told.
        begun: When it was made, in the kernel's ticks since boot.
        place: The kernel function it sleeps in; "" when it runs, or that is not told.
    """

    name: str
    state: str
    cpu: float
    queued: float | None
    switches: int | None
    begun: int
    place: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A process at one moment.

    Attributes:
        pid: The process.
        time: ``time.monotonic()``.
        tracer: Process that traces it, 0 for none.
        threads: Its threads by their ids; the main one has the id of the process.
    """

    pid: int
    time: float
    tracer: int
    threads: dict[int, Thread]

    @property
    def main(self) -> Thread | None:
        """The main thread."""
        return self.threads.get(self.pid)


def possible() -> bool:
    """True where there is something to read."""
    return os.path.exists("/proc/self/stat")  # noqa: PTH110 - a question, not a path to work with


def read(pid: int) -> Reading | None:
    """Read a process; None when it is gone."""
    now = time.monotonic()
    folder = Path(f"/proc/{pid}/task")
    try:
        names = [int(name) for name in os.listdir(folder)]  # noqa: PTH208 - names, not paths
    except OSError:
        return None
    names.sort(key=lambda name: (name != pid, name))
    threads = {}
    for name in names[:THREADS]:
        found = _thread(folder / str(name))
        if found is not None:
            threads[name] = found
    if not threads:
        return None
    return Reading(
        pid, now, int(_fields(folder / str(pid) / "status").get("TracerPid", 0)), threads
    )


def place(pid: int, thread: int) -> str:
    """As of `Thread`, now."""
    return _place(Path(f"/proc/{pid}/task/{thread}"))


def _place(folder: Path) -> str:
    found = _text(folder / "wchan").strip()
    return "" if found == "0" else found


def _thread(folder: Path) -> Thread | None:
    text = _text(folder / "stat")
    words = text.rpartition(")")[2].split()
    if len(words) <= _BEGUN:
        return None
    scheduled = _text(folder / "schedstat").split()
    if len(scheduled) > 1 and scheduled[0] != "0":
        cpu, queued = int(scheduled[0]) / 1e9, int(scheduled[1]) / 1e9
    else:
        cpu, queued = (int(words[_UTIME]) + int(words[_STIME])) / _TICK, None
    return Thread(
        name=text[text.find("(") + 1 : text.rfind(")")],
        state=words[_STATE],
        cpu=cpu,
        queued=queued,
        switches=_fields(folder / "status").get("voluntary_ctxt_switches"),
        begun=int(words[_BEGUN]),
        place=_place(folder),
    )


def _fields(path: Path) -> dict[str, int]:
    """The fields of a ``status`` file that are plain numbers."""
    found = {}
    for line in _text(path).splitlines():
        name, _, value = line.partition(":")
        if value.strip().isdigit():
            found[name] = int(value)
    return found


def _text(path: Path) -> str:
    """A file's text; "" when there is none, or it is not for us."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
