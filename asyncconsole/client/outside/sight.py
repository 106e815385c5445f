"""What two readings of a process that does not answer mean.

A thread that waits for the GIL wakes once per switch interval to ask for it (``take_gil`` in
``Python/ceval_gil.c``), and the kernel counts that as voluntary context switches. While C code
holds the GIL the console's thread does nothing else: 200 switches a second, more while a command
runs (`asyncconsole.serve.pace`), and next to no CPU time. So it does where a loop with many short
turns is always faster in taking the GIL back; but such a loop goes to sleep now and then, some
500 times a second as measured, and C code that computes never does. On a busy machine it may not,
but wakes the console's thread with each turn: sooner than after the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from asyncconsole.client.outside.reading import Reading, Thread

CONSOLE = "asyncconsole"
"""Name of the console's thread."""

INTERVAL = 0.005
"""Seconds between two questions for the GIL, unless the program has set another interval."""

HOT = 0.8
"""Share of the time it could have had a CPU from which a thread counts as at work."""

EARLY = 0.9 * INTERVAL
"""Seconds from one question for the GIL to the next below which somebody has given it back."""

BRISK = 0.0005
"""The same, below which that was the thread's own doing: `asyncconsole.serve.pace`."""

IDLE = 0.1
"""Share of the time up to which a thread has done nothing that matters; one that asks for the
GIL at the pace of a running command needs that much."""

SHORT = 0.5
"""Share of the time without a CPU from which that is why a program doesn't answer."""

PROOF = 0.5
"""Seconds that must be seen for a proof; also the stall threshold of a console."""

Kind = Literal[
    "gone",
    "stopped",
    "traced",
    "gil_held",
    "gil_crowded",
    "uninterruptible",
    "no_cpu",
    "console_busy",
    "unclear",
]


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of Python: file, line, function."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        file = self.file.replace("\\", "/").rpartition("/")[2]
        return f"{file}:{self.line} in {self.function}"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a process was seen to do.

    Attributes:
        kind: In one word.
        seconds: For how long that was seen.
        words: In a clause: "it is stopped (…)".
        who: Who holds the GIL and how, in a few words; "" for other kinds.
        thread: Native id of the thread that is to blame; 0 for none.
        spot: The line it is in, where somebody could read it.
        sure: False where the kernel did not tell all that a proof wants.
        note: Why nobody could, or what would help; "" for nothing.
    """

    kind: Kind
    seconds: float
    words: str
    thread: int = 0
    who: str = ""
    spot: Spot | None = None
    sure: bool = True
    note: str = ""

    @property
    def plain(self) -> bool:
        """True when it is certain why there is no answer."""
        return self.kind not in {"unclear", "no_cpu", "gil_crowded", "console_busy"}

    @property
    def proven(self) -> bool:
        """True when that is a stall: the program can't run, and it is its own doing."""
        return self.kind == "gil_held" and self.sure and self.seconds >= PROOF

    @property
    def told(self) -> str:
        """All of it, in a line."""
        if self.spot is None:
            return f"{self.words}.{self.note and ' '}{self.note}"
        if self.kind == "gil_held":
            return f"GIL held in C for ≥ {self.seconds:.1f} s at {self.spot} ({self.who})."
        return f"{self.words}, at {self.spot}."


def judge(before: Reading, after: Reading | None) -> Sight:
    """What became of a process between two readings in which it gave no answer."""
    main = None if after is None else after.main
    if after is None or main is None or main.state in "ZX":
        return Sight("gone", 0.0, "it has ended")
    seconds = after.time - before.time
    if main.state == "t" or (main.state == "T" and after.tracer):
        tracer = f" (pid {after.tracer})" if after.tracer else ""
        return Sight("traced", seconds, f"a debugger{tracer} has stopped it", after.pid)
    if main.state == "T":
        words = f"it is stopped (SIGSTOP, or Ctrl-Z); `kill -CONT {after.pid}` lets it go on"
        return Sight("stopped", seconds, words, after.pid)
    return _gil(before, after) or _sleep(before, after) or _queue(before, after)


def _gil(before: Reading, after: Reading) -> Sight | None:
    """The console's thread waits for the GIL."""
    console = console_of(after)
    if console is None or console not in before.threads:
        return None
    seconds = after.time - before.time
    if not _asks(before.threads[console], after.threads[console], seconds):
        return None
    hot = _hottest(before, after, console)
    if hot not in {None, after.pid} and after.threads[hot].name.startswith(CONSOLE):
        words = "its console is at work: it loads its commands, or looks at a great many tasks"
        return Sight("console_busy", seconds, words, hot)
    if _woken(before.threads[console], after.threads[console], seconds) or not _alone(
        before, after, console, hot
    ):
        words = (
            "its threads keep the GIL nearly all the time and leave its console no turn: a loop "
            "with a great many short turns, or C code"
        )
        return Sight("gil_crowded", seconds, words, hot or 0)
    if hot is not None:
        who, share = _name(after, hot), f"{_share(before, after, hot):.0f} % CPU"
        words = (
            f"{who} has used {share} for {seconds:.1f} s without letting any other thread run: "
            "C code that holds the GIL (a regular expression, big numbers, an extension?)"
        )
        return Sight("gil_held", seconds, words, hot, f"{who}, {share}")
    return _asleep(before, after, console)


def _asleep(before: Reading, after: Reading, console: int) -> Sight:
    """The GIL is held, and nobody uses a CPU."""
    seconds = after.time - before.time
    still = [
        tid
        for tid, one in after.threads.items()
        if tid != console and tid in before.threads and not _switched(before.threads[tid], one)
    ]
    thread = still[0] if len(still) == 1 else 0
    who = _name(after, thread) if thread else "one of its threads"
    place = after.threads[thread].place if thread else ""
    where = f" in {place}" if place else ""
    words = (
        f"{who} has held the GIL for {seconds:.1f} s while it sleeps{where}: C code that waits "
        "without giving the GIL back (an extension?)"
    )
    return Sight("gil_held", seconds, words, thread, f"{who} sleeps{where}")


def _sleep(before: Reading, after: Reading) -> Sight | None:
    """A thread that nothing can wake, in both readings."""
    for tid in (after.pid, console_of(after) or 0):
        first, last = before.threads.get(tid), after.threads.get(tid)
        if first is None or last is None or not first.state == last.state == "D":
            continue
        if last.cpu - first.cpu < (after.time - before.time) / 10:
            where = f" in {last.place}" if last.place else ""
            words = (
                f"{_name(after, tid)} sleeps{where}, uninterruptible (D): it waits for a disk, "
                "a network file system or a device"
            )
            return Sight("uninterruptible", after.time - before.time, words, tid)
    return None


def _queue(before: Reading, after: Reading) -> Sight:
    """No CPU for it; else nothing that explains the silence."""
    seconds = after.time - before.time
    waited = 0.0
    for tid in (after.pid, console_of(after) or 0):
        first, last = before.threads.get(tid), after.threads.get(tid)
        if first is not None and last is not None:
            waited = max(waited, _queued(first, last))
    if seconds > 0 and waited >= seconds * SHORT:
        words = (
            f"the machine is busy: it was ready to run and had no CPU for {waited:.1f} of the "
            f"last {seconds:.1f} s"
        )
        return Sight("no_cpu", seconds, words)
    words = (
        "it runs or sleeps as usual, and nothing is seen to hold the GIL: its console is busy or "
        "stuck"
    )
    return Sight("unclear", seconds, words)


def console_of(reading: Reading) -> int | None:
    """Native id of the console's thread.

    Threads that it makes have its name, too, unless they get another (before 3.14): the eldest.
    Never the main one, which has that name in a program that a script named so has started.
    """
    named = {
        tid: one
        for tid, one in reading.threads.items()
        if one.name == CONSOLE and tid != reading.pid
    }
    return min(named, key=lambda tid: (named[tid].begun, tid), default=None)


def _asks(first: Thread, last: Thread, seconds: float) -> bool:
    """True for a thread that asked for the GIL the whole time, and did nothing else."""
    if last.cpu - first.cpu > seconds / 4 or not may_ask(last):
        return False
    return math.inf > _switched(first, last) >= max(8, seconds / INTERVAL / 10)


def _woken(first: Thread, last: Thread, seconds: float) -> bool:
    """True for a thread that was woken by somebody who gave the GIL back, over and over."""
    asked = seconds - (last.cpu - first.cpu) - _queued(first, last)
    return BRISK < asked / max(1.0, _switched(first, last)) < EARLY


def may_ask(thread: Thread) -> bool:
    """False for a thread that certainly does not wait for the GIL: it sleeps somewhere else."""
    return not thread.place or "futex" in thread.place


def _alone(before: Reading, after: Reading, console: int, hot: int | None) -> bool:
    """True when no thread can have given the GIL away meanwhile.

    Whoever gives it to a thread that asks has to wait for it in turn, and so sleeps: one that
    ran without a sleep kept it. Any other thread that worked might be who had it.
    """
    seconds = after.time - before.time
    for tid, last in after.threads.items():
        first = before.threads.get(tid)
        if first is None:
            return False  # a thread that was made has run
        if tid == hot:
            if _switched(first, last) > 2 + seconds:
                return False
        elif tid != console and last.cpu - first.cpu > seconds * IDLE:
            return False
    return True


def _switched(first: Thread, last: Thread) -> float:
    """How often a thread went to sleep of its own accord."""
    if first.switches is None or last.switches is None:
        return math.inf
    return last.switches - first.switches


def _hottest(before: Reading, after: Reading, console: int) -> int | None:
    """The thread that ran whenever it had a CPU."""
    spent = {
        tid: last.cpu - before.threads[tid].cpu
        for tid, last in after.threads.items()
        if tid != console and tid in before.threads
    }
    tid = max(spent, key=spent.__getitem__, default=None)
    if tid is None:
        return None
    left = after.time - before.time - _queued(before.threads[tid], after.threads[tid])
    return tid if spent[tid] >= max(0.02, left * HOT) else None


def _share(before: Reading, after: Reading, tid: int) -> float:
    """Percent of a CPU that a thread has used, of the time in which it could have one."""
    first, last = before.threads[tid], after.threads[tid]
    left = after.time - before.time - _queued(first, last)
    return min(100.0, 100 * (last.cpu - first.cpu) / max(left, 0.001))


def _queued(first: Thread, last: Thread) -> float:
    if first.queued is None or last.queued is None:
        return 0.0
    return max(0.0, last.queued - first.queued)


def _name(reading: Reading, tid: int) -> str:
    if tid == reading.pid:
        return "its main thread"
    return f"its thread {reading.threads[tid].name!r} ({tid})"
