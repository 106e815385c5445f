"""What slow callbacks have cost, by the place in the program.

Each thread that runs loops writes in a part of its own, so that none waits for another; who
reads puts the parts together.
"""

from __future__ import annotations

import threading
from types import BuiltinMethodType, CodeType
from typing import Any, NamedTuple

from asyncconsole.capture import futures
from asyncconsole.capture.code import short
from asyncconsole.capture.objects import class_name
from asyncconsole.capture.records import Site, frame_at, line_at
from asyncconsole.model import Frame
from asyncconsole.model.callbacks import BUCKETS, Durations, SlowSite
from asyncconsole.stall.call import calling
from asyncconsole.stall.place import code_of, suspended

MOST = 256
"""Places of one thread; what is slow elsewhere is counted together."""

MOST_THREADS = 32
"""Threads with a part of their own; further ones share one."""

MOST_SEEN = 8
"""Places inside one that are counted."""

LOOKS = 200
"""Steps that are looked at before they are taken, after one that was slow. A look takes some µs,
so that all of them take a small part of what the slow step did."""

NANO = 1e-9

START = -1
"""Instruction of a coroutine that had not begun."""


class Place(NamedTuple):
    """What an account is kept of.

    Attributes:
        outer: Code of the callback, or of the task's coroutine; None for C code.
        name: What to call it where that says nothing.
        start: Where the coroutine was suspended before; None when not known.
        end: Where it was suspended after; None when it had ended, and for callbacks.
        step: True for a step of a task.
    """

    outer: CodeType | None
    name: str
    start: Site | None
    end: Site | None
    step: bool

    def key(self, *, start: bool = True) -> tuple[Any, ...]:
        """Tells it from others, which comparing code objects would do slowly."""
        return (
            id(self.outer),
            self.name,
            _identity(self.start if start else None),
            _identity(self.end),
            self.step,
        )


class Entry:
    """The account of one place; its times are in nanoseconds."""

    __slots__ = ("counts", "longest", "place", "seen", "task", "total")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.total = self.longest = 0
        self.counts = [0] * BUCKETS
        self.task = ""
        self.seen: dict[tuple[int, int], list[Any]] = {}

    def add(self, took: int) -> None:
        """Count one more."""
        self.total += took
        self.longest = max(self.longest, took)
        self.counts[bucket(took)] += 1

    def see(self, site: Site) -> None:
        """The thread was found there in the midst of it."""
        key = (id(site.code), site.instruction)
        known = self.seen.get(key)
        if known is not None:
            known[1] += 1
        elif len(self.seen) < MOST_SEEN:
            self.seen[key] = [site, 1]

    def merge(self, other: Entry) -> None:
        """Count all that another one has."""
        self.total += other.total
        self.longest = max(self.longest, other.longest)
        self.counts = [a + b for a, b in zip(self.counts, list(other.counts), strict=True)]
        self.task = self.task or other.task
        for key, (site, times) in list(other.seen.items()):
            known = self.seen.setdefault(key, [site, 0])
            known[1] += times

    def durations(self) -> Durations:
        """The same in seconds."""
        return Durations(self.total * NANO, self.longest * NANO, tuple(self.counts))


class Part:
    """What one thread has counted."""

    __slots__ = ("entries", "other")

    def __init__(self) -> None:
        self.entries: dict[tuple[Any, ...], Entry] = {}
        self.other: Entry | None = None


class Account:
    """Slow callbacks and steps.

    Attributes:
        suspects: ``id()`` of coroutines' code of which a step was slow lately, and before how
            many more it is worth a look where they are suspended. The code is kept alive here.
    """

    def __init__(self) -> None:
        self.suspects: dict[int, int] = {}
        self._parts: dict[int, Part] = {}
        self._seen: dict[int, tuple[int, Site]] = {}

    def see(self, thread: int, when: int, site: Site) -> None:
        """The side thread has found a loop's thread at a place, at a time of its clock."""
        if len(self._seen) >= MOST_THREADS and thread not in self._seen:
            self._seen.clear()
        self._seen[thread] = when, site

    def look(self, code: int, task: Any) -> Site | None:
        """Where the coroutine of a suspect is suspended now."""
        left = self.suspects.get(code, 0) - 1
        if left > 0:
            self.suspects[code] = left
        else:
            self.suspects.pop(code, None)
        return suspended(futures.coroutine(task))

    def step(self, task: Any, start: Site | bool | None, began: int, took: int) -> None:
        """A step of a task was slow. Runs in the loop's thread.

        Args:
            task: The task.
            start: Where its coroutine was suspended before, if that is known; True when it
                had not begun.
            began: Time at which it began.
            took: Nanoseconds.
        """
        coroutine = futures.coroutine(task)
        outer = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
        name = "" if outer is not None else class_name(type(coroutine))
        if isinstance(start, bool):
            start = Site(outer, START) if start and outer is not None else None
        end = None if futures.done(task) else suspended(coroutine)
        entry = self._note(Place(outer, name, start, end, step=True), began, took)
        entry.task = futures.name(task)
        if outer is not None and entry.place.outer is outer:
            self.suspects[id(outer)] = LOOKS

    def callback(self, callback: Any, began: int, took: int) -> None:
        """A callback was slow, as in `step`."""
        code = code_of(callback)
        name = ""
        if code is None:
            kind = type(callback)
            name = callback.__qualname__ if kind is BuiltinMethodType else class_name(kind)
        self._note(Place(code, name, None, None, step=False), began, took)

    def _note(self, place: Place, began: int, took: int) -> Entry:
        thread = threading.get_ident()
        part = self._parts.get(thread)
        if part is None:
            shared = len(self._parts) >= MOST_THREADS
            part = self._parts.setdefault(0 if shared else thread, Part())
        entry = part.entries.get(place.key())
        if entry is None:
            if len(part.entries) >= MOST:
                entry = part.other = part.other or Entry(Place(None, "", None, None, step=False))
            else:
                entry = part.entries[place.key()] = Entry(place)
        entry.add(took)
        seen = self._seen.get(thread)
        if seen is not None and began <= seen[0] <= began + took:
            entry.see(seen[1])
        return entry

    def told(self) -> tuple[tuple[SlowSite, ...], Durations | None]:
        """All places, the most expensive first, and all that had no room."""
        together: dict[tuple[Any, ...], Entry] = {}
        other: Entry | None = None
        for part in list(self._parts.values()):
            for key, entry in list(part.entries.items()):
                together.setdefault(key, Entry(entry.place)).merge(entry)
            if part.other is not None:
                other = other or Entry(part.other.place)
                other.merge(part.other)
        ordered = sorted(_folded(together), key=lambda entry: -entry.total)
        return tuple(map(_told, ordered)), None if other is None else other.durations()


def bucket(took: int) -> int:
    """Which count a number of nanoseconds belongs to."""
    return min((took >> 10).bit_length(), BUCKETS - 1)


def _folded(entries: dict[tuple[Any, ...], Entry]) -> list[Entry]:
    """Count steps of which only the end is known with those that ended there as well.

    That is the first slow step of a coroutine, and each thread may have one.
    """
    known: dict[tuple[Any, ...], Entry] = {}
    for entry in sorted(entries.values(), key=lambda entry: entry.total):
        if entry.place.start is not None:
            known[entry.place.key(start=False)] = entry
    left = []
    for key, entry in entries.items():
        same = None if entry.place.start is not None else known.get(key)
        if same is None:
            left.append(entry)
        else:
            same.merge(entry)
    return left


def _identity(site: Site | None) -> tuple[int, int] | None:
    return None if site is None else (id(site.code), site.instruction)


def _told(entry: Entry) -> SlowSite:
    place = entry.place
    first = None
    function = place.name
    if place.outer is not None:
        first = frame_at(Site(place.outer, START))
        function = first.function
    return SlowSite(
        kind="step" if place.step else "callback",
        function=short(function),
        task=entry.task,
        start=_frame(place.start) if place.step else first,
        end=_frame(place.end),
        ended=place.step and place.end is None,
        durations=entry.durations(),
        seen=_seen(entry),
    )


def _seen(entry: Entry) -> tuple[tuple[Frame, str, int], ...]:
    """Lines instead of instructions."""
    found: dict[Frame, tuple[str, int]] = {}
    for site, times in sorted(entry.seen.values(), key=lambda seen: -seen[1]):
        frame = frame_at(site)
        call, before = found.get(frame, ("", 0))
        call = call or calling(site.code, site.instruction, line_at(site))
        found[frame] = call, before + times
    ordered = sorted(found.items(), key=lambda item: -item[1][1])
    return tuple((frame, call, times) for frame, (call, times) in ordered)


def _frame(site: Site | None) -> Frame | None:
    return None if site is None else frame_at(site)
