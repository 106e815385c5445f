"""A living interpreter becomes a snapshot.

`Program` keeps what must outlive one capture: numbers and names. `Program.capture`
is a generator: it yields between slices, so that whoever drives it decides how
often the program's own threads get a turn. It never raises for what it reads;
what could not be read is a gap in the snapshot.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
import time
import types
from collections.abc import Generator
from contextlib import nullcontext
from functools import cache
from typing import Any

from asyncconsole.capture import drafts, edges, futures, libraries, process, quiet, roll
from asyncconsole.capture.code import short
from asyncconsole.capture.glue import anyio
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.loops import LoopFact
from asyncconsole.capture.names import search
from asyncconsole.capture.objects import type_name
from asyncconsole.capture.records import Records
from asyncconsole.capture.resources import Resources
from asyncconsole.model import Frame, Gap, Loop, Snapshot, Task, Thread
from asyncconsole.model.instant import stamp

SLICE = 50
"""Tasks read before others get a turn."""


MANY = 2_000
"""Tasks above which the garbage collector rests during a capture."""


class Program(roll.Roll):
    """The program we are guests of.

    Args:
        like: Whose loops and numbers to share; None for new ones.

    Attributes:
        things: Numbers of its primitives.
        records: What tracking knows; None while it is off.
    """

    def __init__(self, like: roll.Roll | None = None) -> None:
        super().__init__(like)
        self.things = Numbers(libraries.anchor)
        self.records: Records | None = None
        self._names: dict[int, str] = {}
        self._nameless: dict[int, float] = {}

    def look(self) -> list[drafts.Draft]:
        """Numbered, unread drafts of every task that is not done."""
        found = [drafts.Draft(task, self.tasks.known(task), loop) for task, loop in self.present()]
        new = [draft for draft in found if not draft.number]
        for draft in sorted(new, key=lambda draft: roll.creation_order(futures.name(draft.task))):
            draft.number = self.tasks.of(draft.task)
        return sorted(found, key=lambda draft: draft.number)

    def capture(
        self,
        *,
        holds: bool = True,
        resources: bool = True,
        tasks: bool = True,
        threads: bool = True,
        first: int | None = None,
    ) -> Generator[None, None, Snapshot]:
        """Read the program; drive it to the end for the snapshot.

        Args:
            holds: Read what tasks hold.
            resources: Read primitives.
            tasks: Read tasks at all.
            threads: Read the stacks of all threads.
            first: Read only that many tasks, those with the lowest ids.

        Yields:
            None, between slices.

        Returns:
            The snapshot; stalls are not in it, the probe has them.
        """
        every = self.look()
        listed = every[:first] if tasks else []
        with quiet.quiet() if len(listed) > MANY else nullcontext():
            return (
                yield from self._capture(
                    every, listed, holds=holds, resources=resources, threads=threads
                )
            )

    def _capture(
        self,
        every: list[drafts.Draft],
        listed: list[drafts.Draft],
        *,
        holds: bool,
        resources: bool,
        threads: bool,
    ) -> Generator[None, None, Snapshot]:
        began = time.monotonic()
        gaps = libraries.install()
        loops = [
            (fact, loop) for fact in self.loops.find() if (loop := fact.reference()) is not None
        ]
        running = {id(task) for _, loop in loops if (task := futures.current(loop)) is not None}
        for index, draft in enumerate(listed):
            if index % SLICE == SLICE - 1:
                quiet.check()
                yield
            try:
                drafts.read(draft, running=id(draft.task) in running, holds=holds)
            except Exception as broken:  # a fact about CPython that doesn't hold here
                draft.gap = f"{type(broken).__name__}: {broken}"[:200]
            if draft.waiting is not None:
                draft.token, draft.since = self.futures.entry(draft.future)
        book = Resources(listed, self.things, self.records if resources else None)
        if resources:
            yield from book.collect(gaps)
        yield from self._name(book)
        links = yield from edges.between(listed, [loop for _, loop in loops], full=holds)
        now = time.monotonic()
        made = []
        for index, draft in enumerate(listed):
            if index % SLICE == SLICE - 1:
                yield
            try:
                made.append(self._task(draft, book, links, now))
            except Exception as broken:  # an odd object: the others are still worth showing
                gaps.append(Gap(f"task {draft.number}", f"{type(broken).__name__}: {broken}"[:200]))
        gaps += [Gap(f"task {task.id}", task.gap) for task in made if task.gap]
        snapshot = Snapshot(
            pid=os.getpid(),
            program=process.program(),
            python=sys.version.split()[0],
            taken_at=stamp(time.time()),
            uptime=max(0.0, time.time() - process.started()),
            took=time.monotonic() - began,
            loops=tuple(self._loop(fact, loop, every) for fact, loop in loops),
            tasks=tuple(made),
            total=len(every),
            resources=tuple(book.resources(self._names, now)) if resources else (),
            threads=self._threads(loops) if threads else (),
            gaps=tuple(gaps),
        )
        return _with_sources(snapshot) if threads else snapshot

    def _threads(self, loops: list[tuple[LoopFact, Any]]) -> tuple[Thread, ...]:
        """Every thread's stack."""
        known = {fact.thread: fact.number for fact, _ in loops if fact.thread is not None}
        return tuple(process.threads(known))

    def _name(self, book: Resources) -> Generator[None, None, None]:
        """Find names for primitives that have none yet."""
        now = time.monotonic()
        alive = {self.things.of(thing): thing for thing in book.things()}
        wanted = {
            id(thing): thing
            for number, thing in alive.items()
            if number not in self._names and self._nameless.get(number, 0.0) < now
        }
        if wanted:
            found = yield from search(wanted, book.places())
            for number, thing in alive.items():
                text = found.get(id(thing))
                if text:
                    self._names[number] = text
                elif id(thing) in wanted:
                    self._nameless[number] = now + 5.0
        for number in [number for number in self._names if number not in alive]:
            del self._names[number]  # it is found again when it is seen again

    def _task(self, draft: drafts.Draft, book: Resources, links: edges.Links, now: float) -> Task:
        number = draft.number
        key = id(draft.task)
        wait = edges.wait_of(draft, book, self.tasks, self._names, now)
        due = [*draft.grip.due, *links.due.get(key, ())]
        scope = anyio.deadline(draft.task)
        if scope is not None:
            due.append(scope)
        deadline = min(due) - draft.loop_time() if due else None
        coroutine = futures.coroutine(draft.task)
        made = self.records.creation(draft.task) if self.records is not None else None
        return Task(
            id=number,
            name=futures.name(draft.task),
            state=draft.state,
            coro=_coroutine_name(coroutine),
            loop=self.loops.note(draft.loop),
            address=key,
            wait=wait,
            frames=tuple(draft.frames),
            holds=tuple(book.holds(draft, now)),
            awaited_by=tuple(sorted(links.awaited_by.get(key, ()))),
            deadline=max(0.0, deadline) if deadline is not None else None,
            watchers=tuple(sorted(links.watchers.get(key, ()))),
            children=tuple(self.tasks.of(task) for task in draft.grip.children),
            cancelling=futures.cancelling(draft.task),
            created=stamp(time.time() - (now - made.at)) if made is not None else None,
            age=max(0.0, now - made.at) if made is not None else None,
            gap=draft.gap,
            creation=made.frames if made is not None else (),
            creator=self.tasks.of(made.creator) if made and made.creator is not None else None,
        )

    def _loop(self, fact: LoopFact, loop: Any, listed: list[drafts.Draft]) -> Loop:
        task = futures.current(loop)
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        return Loop(
            id=fact.number,
            type=fact.type,
            thread=names.get(fact.thread, ""),
            thread_id=fact.thread,
            running=fact.running,
            closed=fact.closed,
            debug=fact.debug,
            task=self.tasks.of(task) if task is not None else None,
            tasks=sum(draft.loop is loop for draft in listed),
            ready=fact.ready,
            timers=fact.timers,
        )


@cache
def shared() -> Program:
    """The one `Program` of this process, with the numbers of `roll.shared`."""
    return Program(roll.shared())


def _coroutine_name(coroutine: Any) -> str:
    """Qualified name of a coroutine; its type's for an object that only acts like one."""
    if type(coroutine) in {types.CoroutineType, types.GeneratorType}:
        return short(coroutine.__qualname__)
    return type_name(coroutine)


def _with_sources(snapshot: Snapshot) -> Snapshot:
    """Add the text of every source line that the snapshot names."""
    wanted: set[tuple[str, int]] = set()

    def frames(found: tuple[Frame, ...]) -> None:
        wanted.update((frame.file, frame.line) for frame in found if frame.line)

    for thread in snapshot.threads:
        frames(thread.frames)
    for task in snapshot.tasks:
        frames(task.frames)
        frames(task.creation)
        wanted.update((hold.file, hold.line) for hold in task.holds)
    import dataclasses  # noqa: PLC0415 - only when a capture is made

    lines = []
    for file, line in sorted(wanted):
        text = linecache.getline(file, line).strip()
        if text:
            lines.append((file, line, text[:300]))
    return dataclasses.replace(snapshot, sources=tuple(lines))
