"""One look at a program: which tasks and loops there are, and some of the tasks in full.

Everything here is dropped when the look is over; what outlives it is in ``Program``.
"""

from __future__ import annotations

import os
import sys
import time
import types
from collections.abc import Generator, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from asyncconsole.capture import drafts, edges, futures, jobs, libraries, process, quiet, signals
from asyncconsole.capture.catches import catcher
from asyncconsole.capture.code import code_facts, short
from asyncconsole.capture.glue import anyio
from asyncconsole.capture.loop_code import endless
from asyncconsole.capture.loops import LoopFact
from asyncconsole.capture.names import Index
from asyncconsole.capture.objects import Types, type_name
from asyncconsole.capture.resources import Resources
from asyncconsole.capture.shapes import UNPLANNED
from asyncconsole.model import Frame, Gap, Loop, Snapshot, Task
from asyncconsole.model.instant import stamp
from asyncconsole.model.quick import maker

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program

SLICE = 50
"""Tasks read before others get a turn."""

MADE = 150
"""Tasks of a snapshot that are made before others get a turn."""

FREED = 500
"""Tasks that are forgotten in one go."""

LIVE: Final = "live"
"""Yielded before a slice that does nothing but read tasks: it is short, and what it reads
is of one moment if it runs on the tasks' own loop. After anything else that is yielded
comes work that may take longer, and belongs on a thread of ours."""

Steps = Generator["str | None", None, "Snapshot"]
"""A capture: `LIVE` or None between slices, and the snapshot in the end."""

_task = maker(Task)
_short = lru_cache(maxsize=1024)(short)
_NAMED = Types(types.CoroutineType, types.GeneratorType)


class Look:
    """What one look at a program finds.

    Args:
        program: What is looked at.
        loop: The only loop whose tasks are; None for all.

    Attributes:
        muster: Its tasks.
        loops: Its loops, those that still exist.
        running: ``id`` of the tasks that execute now.
        index: Named primitives for looks in many pieces; {} before it is made, None
            where the modules are to be searched for each piece.
    """

    def __init__(self, program: Program, loop: Any = None) -> None:
        self._program = program
        self.began = time.monotonic()
        self.muster = program.look(loop)
        self.loops: list[tuple[LoopFact, Any]] = [
            (fact, loop) for fact in program.loops.find() if (loop := fact.reference()) is not None
        ]
        self.running = {
            id(task) for _, loop in self.loops if (task := futures.current(loop)) is not None
        }
        self.index: Index | None = None
        self._unread = libraries.install()
        self._ended = 0

    def all(
        self,
        tasks: list[Any],
        *,
        holds: bool,
        resources: bool,
        full: bool,
        also: Sequence[tuple[Any, str]] = (),
    ) -> Steps:
        """These tasks as a snapshot.

        Args:
            tasks: Live tasks.
            holds: Read what they hold.
            resources: Read primitives.
            full: Look for timers and watchers.
            also: More primitives to list, each with what to call it where no name is found.

        Yields:
            `LIVE` or None, between slices.
        """
        gaps = list(self._unread)
        listed = yield from self.read(tasks, holds=holds)
        program = self._program
        yield None  # the threads are looked at from one of ours
        work = jobs.link(listed, program.tasks, threads=holds)
        signals.note(listed, [loop for _, loop in self.loops])
        named = None if resources else program.names
        book = Resources(listed, program.things, program.records if resources else None, named)
        for thing, title in also:
            book.include(thing, title)
        if resources:
            yield from book.collect(gaps)
        yield from program.name(book, self)
        links = yield from edges.between(listed, [loop for _, loop in self.loops], full=full)
        loops = {id(loop): fact.number for fact, loop in self.loops}
        now = time.monotonic()
        made = []
        for index, draft in enumerate(listed):
            if index % MADE == MADE - 1:
                quiet.check()
                yield None
            try:
                made.append(self._task(draft, book, links, work, now, loops, holds=holds))
            except Exception as broken:  # an odd object: the others are still worth showing
                gaps.append(Gap(f"task {draft.number}", f"{type(broken).__name__}: {broken}"[:200]))
        gaps += [Gap(f"task {task.id}", task.gap) for task in made if task.gap]
        snapshot = Snapshot(
            pid=os.getpid(),
            program=process.program(),
            python=sys.version.split()[0],
            taken_at=stamp(time.time()),
            uptime=max(0.0, time.time() - process.started()),
            took=time.monotonic() - self.began,
            loops=tuple(self._loop(fact, loop) for fact, loop in self.loops),
            tasks=tuple(made),
            total=len(self.muster.tasks) - self._ended,
            resources=tuple(book.resources(program.names, now)) if resources else (),
            gaps=tuple(gaps),
        )
        yield from book.forget()
        while listed:
            del listed[-FREED:]
            yield None
        return snapshot

    def read(
        self, tasks: list[Any], *, holds: bool
    ) -> Generator[str | None, None, list[drafts.Draft]]:
        """These tasks as drafts.

        Yields:
            `LIVE` before each slice, None after the last.
        """
        listed = []
        program = self._program
        number, entry, running = program.tasks.of, program.futures.entry, self.running
        for index, task in enumerate(tasks):
            if index % SLICE == 0:
                quiet.check()
                yield LIVE
            draft = drafts.Draft(task, number(task), futures.loop(task))
            try:
                drafts.read(draft, running=id(task) in running, holds=holds)
            except Exception as broken:  # a fact about CPython that doesn't hold here
                draft.gap = f"{type(broken).__name__}: {broken}"[:200]
            if futures.done(task):  # since it was listed: not a task that is ready to run
                self._ended += 1
                continue
            listed.append(draft)
            if draft.waiting is not None:
                draft.token, draft.since = entry(draft.future)
        yield None
        return listed

    def _task(
        self,
        draft: drafts.Draft,
        book: Resources,
        links: edges.Links,
        work: jobs.Links,
        now: float,
        loops: dict[int, int],
        *,
        holds: bool,
    ) -> Task:
        number = draft.number
        key = id(draft.task)
        wait = edges.wait_of(draft, book, self._program.tasks, self._program.names, now)
        deadline = _deadline(draft, links)
        coroutine = futures.coroutine(draft.task)
        records = self._program.records
        made = records.creation(draft.task) if records is not None else None
        if made is None and not holds:
            return _task(  # as below, and in the same order: this is how most are made
                number,
                futures.name(draft.task),
                draft.state,
                _coroutine_name(coroutine),
                loops.get(id(draft.loop)) or self._program.loops.note(draft.loop),
                key,
                wait,
                draft.frames,
                (),
                _sorted(links.awaited_by.get(key)),
                None,
                (),
                (),
                futures.cancelling(draft.task),
                gap=draft.gap,
                threads=tuple(work.blocked[key]) if key in work.blocked else (),
            )
        return _task(
            id=number,
            name=futures.name(draft.task),
            state=draft.state,
            coro=_coroutine_name(coroutine),
            loop=loops.get(id(draft.loop)) or self._program.loops.note(draft.loop),
            address=key,
            wait=wait,
            frames=draft.frames,
            holds=tuple(book.holds(draft, now)),
            awaited_by=_sorted(links.awaited_by.get(key)),
            deadline=deadline,
            watchers=_sorted(links.watchers.get(key)),
            children=tuple([self._program.tasks.of(task) for task in draft.grip.children]),
            cancelling=futures.cancelling(draft.task),
            created=stamp(time.time() - (now - made.at)) if made is not None else None,
            age=max(0.0, now - made.at) if made is not None else None,
            gap=draft.gap,
            creation=made.frames if made is not None else (),
            creator=self._program.tasks.of(made.creator)
            if made and made.creator is not None
            else None,
            threads=tuple(work.blocked.get(key, ())),
            catches=_catcher(draft, awaited=key in links.awaited_by),
            then=_then(draft.task),
            endless=key in links.grouped and endless(draft.chain),
        )

    def _loop(self, fact: LoopFact, loop: Any) -> Loop:
        task = futures.current(loop)
        names = jobs.thread_names()
        return Loop(
            id=fact.number,
            type=fact.type,
            thread=names.get(fact.thread or 0, ""),
            thread_id=fact.thread,
            running=fact.running,
            closed=fact.closed,
            debug=fact.debug,
            task=self._program.tasks.of(task) if task is not None else None,
            tasks=self.muster.counts.get(id(loop), 0),
            ready=fact.ready,
            timers=fact.timers,
            guessed=fact.guessed,
        )


def _sorted(numbers: set[int] | None) -> tuple[int, ...]:
    return tuple(sorted(numbers)) if numbers else ()


def _deadline(draft: drafts.Draft, links: edges.Links) -> float | None:
    """Seconds until a timeout acts on a task; None without one."""
    due = [*draft.grip.due, *links.due.get(id(draft.task), ())]
    scope = anyio.deadline(draft.task)
    if scope is not None:
        due.append(scope)
    return max(0.0, min(due) - draft.loop_time()) if due else None


def _catcher(draft: drafts.Draft, *, awaited: bool) -> Frame | None:
    """What would catch a cancellation, of a task that may have been cancelled."""
    asked = futures.cancelling(draft.task) > 0 if _COUNTED else awaited
    if not asked or not draft.chain.owners:
        return None
    shape = draft.chain.shape
    if shape.catches is UNPLANNED:
        shape.catches = catcher(draft.chain)
    found: Frame | None = shape.catches
    return found


def _then(task: Any) -> tuple[str, ...]:
    """Own functions that run when a task ends."""
    found = []
    for callback in futures.callbacks(task):
        function = callback.func if type(callback) is partial else callback
        if type(function) is types.MethodType:
            function = function.__func__
        if type(function) is types.FunctionType and code_facts(function.__code__).own:
            found.append(_short(function.__qualname__))
    return tuple(found)


_COUNTED = sys.version_info >= (3, 11)
"""Whether tasks count how often they were asked to cancel."""


def _coroutine_name(coroutine: Any) -> str:
    """Qualified name of a coroutine; its type's for an object that only acts like one."""
    if id(type(coroutine)) in _NAMED.ids:
        return _short(coroutine.__qualname__)
    return type_name(coroutine)
