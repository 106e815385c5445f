"""A living interpreter becomes a snapshot.

`Program` keeps what must outlive one capture: numbers and names. `Program.capture`
is a generator: it yields between slices, so that whoever drives it decides how
often the program's own threads get a turn. It never raises for what it reads;
what could not be read is a gap in the snapshot.
"""

from __future__ import annotations

import linecache
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from asyncconsole.capture import (
    drafts,
    futures,
    jobs,
    libraries,
    pending,
    process,
    quiet,
    roll,
    standstill,
    stranded,
    watched,
)
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.look import Look, Steps
from asyncconsole.capture.loops import LoopFact
from asyncconsole.capture.names import given, index, search
from asyncconsole.capture.records import Records
from asyncconsole.capture.resources import Resources
from asyncconsole.model import Frame, Snapshot, Thread

PIECE = 2_000
"""Tasks in a piece of a stream."""

MANY_NAMES = 1_000
"""Names that are kept before those of what has gone are looked for."""


class Program(roll.Roll):
    """The program we are guests of.

    Args:
        like: Whose loops and numbers to share; None for new ones.

    Attributes:
        things: Numbers of its primitives.
        records: What tracking knows; None while it is off.
        names: Names of its primitives, by their numbers.
        standing: Numbers of what threads wait for.
    """

    def __init__(self, like: roll.Roll | None = None) -> None:
        super().__init__(like)
        self.things = Numbers(libraries.anchor)
        self.records: Records | None = None
        self.names: dict[int, str] = {}
        self.standing = Numbers()
        self._nameless: dict[int, float] = {}
        self._most_names = MANY_NAMES

    def capture(
        self,
        *,
        holds: bool = True,
        resources: bool = True,
        tasks: bool = True,
        threads: bool = True,
        first: int | None = None,
        only: Collection[int] | None = None,
        also: Sequence[tuple[Any, str]] = (),
        loop: Any = None,
    ) -> Steps:
        """Read the program; drive it to the end for the snapshot.

        Args:
            holds: Read what tasks hold.
            resources: Read primitives.
            tasks: Read tasks at all; else only those that run now.
            threads: Read the stacks of all threads.
            first: Read only that many tasks, those with the lowest ids.
            only: Read only the tasks with these ids.
            also: More primitives to list, each with what to call it where no name is found.
            loop: Read only the tasks of this loop.

        Yields:
            None, between slices.

        Returns:
            The snapshot; stalls are not in it, the probe has them.
        """
        with quiet.quiet():
            look = Look(self, loop)
            if not tasks:
                listed = [task for task in look.muster.tasks if id(task) in look.running]
            elif only is not None:
                listed = [task for task in look.muster.tasks if self.tasks.known(task) in only]
            else:
                listed = look.muster.tasks[:first]
            snapshot = yield from look.all(
                listed, holds=holds, resources=resources, full=holds, also=also
            )
        return self.dress(snapshot) if threads else snapshot

    def dress(self, snapshot: Snapshot) -> Snapshot:
        """A snapshot with the stacks of all threads, and source lines."""
        loops = [
            (fact, loop) for fact in self.loops.find() if (loop := fact.reference()) is not None
        ]
        starts = pending.not_started(self)
        work = jobs.link(self._unread(), self.tasks, threads=True, every=bool(starts))
        still = standstill.read(self, work, starts)
        asleep = {
            fact.number: (queue, watched.files(loop))
            for fact, loop in loops
            if (queue := stranded.read(self, snapshot, fact, loop))
        }
        dressed = replace(
            snapshot,
            threads=tuple(map(still.thread, self._threads(loops, work))),
            pools=still.pools,
            starts=still.starts,
            loops=tuple(
                replace(loop, stranded=asleep[loop.id][0], files=asleep[loop.id][1])
                if loop.id in asleep
                else loop
                for loop in snapshot.loops
            ),
        )
        return _with_sources(dressed)

    def _unread(self) -> Iterator[drafts.Draft]:
        """Every task, unread."""
        for task in self.look().tasks:
            yield drafts.Draft(task, self.tasks.known(task), futures.loop(task))

    def stream(self, *, first: int | None = None) -> Generator[Snapshot | str | None, None, None]:
        """Read the tasks, with what they wait for, in pieces that are soon forgotten.

        Args:
            first: Read only that many tasks, those with the lowest ids.

        Yields:
            Snapshots of some hundred tasks each, at least one; `look.LIVE` or None between slices.
        """
        with quiet.quiet():
            look = Look(self)
            look.index = None if len(look.muster.tasks) <= PIECE else {}
            listed = look.muster.tasks[:first]
            yield from self.meet(listed)
            for start in range(0, max(1, len(listed)), PIECE):
                quiet.check()
                piece = listed[start : start + PIECE]
                yield (yield from look.all(piece, holds=False, resources=False, full=False))

    def around(
        self,
        tasks: Sequence[str],
        resources: Sequence[str],
        witnesses: Collection[int],
        *,
        deep: bool = False,
    ) -> Steps:
        """As much as is needed to tell about a few tasks or primitives.

        Yields:
            None, between slices.
        """
        from asyncconsole.capture.focus import around  # noqa: PLC0415 - it needs this module

        found = yield from around(self, tasks, resources, witnesses, deep=deep)
        if any(task.threads or (task.wait and task.wait.thread) for task in found.tasks):
            yield None  # threads are looked at from one of ours
            return self.dress(found)
        return _with_sources(found)

    def _threads(self, loops: list[tuple[LoopFact, Any]], work: jobs.Links) -> tuple[Thread, ...]:
        """Every thread's stack."""
        known = {fact.thread: fact.number for fact, _ in loops if fact.thread is not None}
        return tuple(map(work.thread, process.threads(known)))

    def name(self, book: Resources, look: Look) -> Generator[None, None, None]:
        """Find names for primitives that have none yet."""
        wanted = self._unnamed(book.things())
        if wanted:
            if look.index == {}:  # a piece of many: the modules are searched once for all
                look.index = (yield from index()) or None
            self._note_names(wanted, (yield from search(wanted, book.places(), look.index)))

    def titles(self, things: list[Any]) -> Generator[None, None, dict[int, str]]:
        """The names of some primitives, whether a task has to do with them now or not.

        Returns:
            By ``id``; what nothing names is missing.
        """
        wanted = self._unnamed(things)
        if wanted:
            self._note_names(wanted, (yield from search(wanted, {})))
        found = {id(thing): self.names.get(self.things.of(thing), "") for thing in things}
        return {key: text for key, text in found.items() if text}

    def _unnamed(self, things: list[Any]) -> dict[int, Any]:
        """Those for whose names it is time to search, by ``id``."""
        now = time.monotonic()
        wanted: dict[int, Any] = {}
        for thing in things:
            number = self.things.of(thing)
            text = given(thing)
            if text:
                self.names[number] = text
            elif number not in self.names and self._nameless.get(number, 0.0) < now:
                wanted[id(thing)] = thing
        return wanted

    def _note_names(self, wanted: dict[int, Any], found: dict[int, str]) -> None:
        """Remember what a search has found, and what it has not."""
        soon = time.monotonic() + 5.0
        for key, thing in wanted.items():
            number = self.things.of(thing)
            if key in found:
                self.names[number] = found[key]
            else:
                self._nameless[number] = soon
        self._forget()

    def _forget(self) -> None:
        """Drop names of what has gone, now and then."""
        if len(self.names) + len(self._nameless) > self._most_names:
            live = {number for number, _ in self.things.live()}
            for memory in (self.names, self._nameless):
                for number in [number for number in memory if number not in live]:
                    del memory[number]
            self._most_names = max(MANY_NAMES, 2 * (len(self.names) + len(self._nameless)))


@cache
def shared() -> Program:
    """The one `Program` of this process, with the numbers of `roll.shared`."""
    return Program(roll.shared())


def _with_sources(snapshot: Snapshot) -> Snapshot:
    """Add the text of every source line that the snapshot names."""
    wanted: set[tuple[str, int]] = set()
    seen: set[int] = set()

    def frames(found: tuple[Frame, ...]) -> None:
        if id(found) not in seen:  # tasks that stand alike share their frames
            seen.add(id(found))
            wanted.update((frame.file, frame.line) for frame in found if frame.line)

    for thread in snapshot.threads:
        frames(thread.frames)
    for task in snapshot.tasks:
        frames(task.frames)
        frames(task.creation)
        wanted.update((hold.file, hold.line) for hold in task.holds)
    lines = []
    for file, line in sorted(wanted):
        text = linecache.getline(file, line).strip()
        if text:
            lines.append((file, line, text[:300]))
    return replace(snapshot, sources=tuple(lines))
