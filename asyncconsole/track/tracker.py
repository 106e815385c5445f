"""Tracking as a whole: what is on, and what it knows. One per process: the hooks are."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.code import short
from asyncconsole.capture.endings import End
from asyncconsole.capture.program import Program, shared
from asyncconsole.capture.records import Creation, Owner, frame_at
from asyncconsole.model import Inversion
from asyncconsole.model.ended import Ended
from asyncconsole.model.instant import stamp
from asyncconsole.model.status import TrackStatus
from asyncconsole.track.ended import MOST, Ring
from asyncconsole.track.inversions import Inversions
from asyncconsole.track.locks import LockHook
from asyncconsole.track.tasks import FRAMES, TaskHook, creation, record_of


class Tracker:
    """The hooks of one process.

    Args:
        program: Whose captures get the records.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._ring = Ring(program.tasks.known, program.loops.ignores)
        self._tasks = TaskHook(self._ring)
        self._locks = LockHook(self._number)
        self._inversions = Inversions(program)

    def configure(
        self, *, tasks: bool | int | None = None, locks: bool | None = None
    ) -> TrackStatus:
        """Change what is tracked, and tell.

        Args:
            tasks: Frames of the creation chain; True for the usual number, False for off.
            locks: Whether owners are recorded.
        """
        if tasks is not None and tasks is not False and tasks != 0:
            self._tasks.switch_on(FRAMES if tasks is True else tasks)
            self.note_loops()
        elif tasks is not None:
            self._tasks.switch_off()
        if locks is True:
            self._locks.switch_on()
        elif locks is False:
            self._locks.switch_off()
        self._program.records = self if self._tasks.on or self._locks.on else None
        return self.status()

    def status(self) -> TrackStatus:
        """What is tracked now."""
        hook = self._tasks
        ring = self._ring
        later = min(MOST, len(hook.unsaid()))
        kept = len(ring.ends())
        return TrackStatus(
            hook.on,
            hook.frames,
            self._locks.on,
            min(MOST, kept + later),
            ring.dropped + max(0, kept + later - MOST),
            hook.broken,
            len(self._locks.orders.orders),
            self._locks.orders.dropped,
        )

    def close(self) -> None:
        """Take every hook off and forget what was recorded."""
        self.configure(tasks=False, locks=False)
        self._ring.clear()

    def note_loops(self) -> None:
        """Look for loops that need a hook of their own; cheap when there are none."""
        if not self._tasks.on:
            return
        for fact in self._program.loops.find():
            loop = fact.reference()
            if loop is not None and not fact.closed:
                with contextlib.suppress(Exception):  # closed under us, or no loop we know
                    self._tasks.note_loop(loop)

    def beat(self) -> None:
        """Now and then, in the side thread: finish what a rush has left, look at locks again."""
        self._locks.orders.beat()
        if not self._tasks.busy:
            return
        waiting = {id(fact.reference()) for fact in self._program.loops.find() if fact.idle}
        self._tasks.beat(lambda loop: id(loop) in waiting)

    def note_cancel(self, task: Any) -> None:
        """The console asks a task to cancel."""
        if self._tasks.on:
            self._ring.note_cancel(task, "console")

    def creation(self, task: Any) -> Creation | None:
        """How a live task came to be; None for one that is older than tracking."""
        record = record_of(task) if self._tasks.on else None
        return creation(record) if record is not None else None

    def owners(self, thing: Any) -> list[Owner]:
        """See `asyncconsole.capture.records.Records`."""
        return self._locks.owners(thing)

    def taken(self) -> list[Any]:
        """See `asyncconsole.capture.records.Records`."""
        return self._locks.taken()

    def _number(self, task: Any) -> int:
        """The id of a task; 0 for one of the console's own."""
        if self._program.loops.ignores(futures.loop(task)):
            return 0
        return self._program.tasks.of(task)

    def inversions(self) -> Generator[None, None, tuple[Inversion, ...]]:
        """Locks that were taken in orders which contradict each other.

        Yields:
            None, between slices.
        """
        return (yield from self._inversions.told(self._locks.orders))

    def ended(self) -> list[Ended]:
        """The tasks that ended last, oldest first."""
        later = self._tasks.unsaid()  # before the ring: rather twice than not at all
        ends = self._ring.ends()
        known = {id(end.token) for end in ends}
        for task in later[-MOST:]:
            end = self._ring.view(task, self._program.tasks.of(task), record_of(task))
            if end is not None and id(end.token) not in known:
                ends.append(end)
        # By identity: a reference whose object is gone may have no hash.
        names = {id(end.token): end.name for end in ends}
        now, wall = time.monotonic(), time.time()
        return [self._ended(end, names, wall - now) for end in ends[-MOST:]]

    def _ended(self, end: End, names: dict[int, str], offset: float) -> Ended:
        if not end.number:
            end.number = self._program.tasks.fresh()
        made = creation(end.record) if end.record is not None else None
        creator = ""
        if made is not None and end.record.creator is not None:
            if made.creator is not None:
                creator = futures.name(made.creator)
            else:  # it has ended as well; a dead reference is still itself
                creator = names.get(id(end.record.creator), "")
        return Ended(
            id=end.number,
            name=end.name,
            coro=short(end.coro),
            outcome=end.outcome,
            result=end.result,
            exception=end.exception,
            cancelled_by=end.cancelled_by,
            created=stamp(made.at + offset) if made is not None else None,
            ended=stamp(end.at + offset),
            exact=end.exact,
            lasted=max(0.0, end.at - made.at) if made is not None else None,
            creator=creator,
            creation=made.frames if made is not None else (),
            raised=frame_at(end.raised) if end.raised is not None else None,
        )


_tracker: list[Tracker] = []


def tracker() -> Tracker:
    """The tracker of this process."""
    if not _tracker:
        _tracker.append(Tracker(shared()))
    return _tracker[0]


def forked() -> None:
    """In a forked child, which has no console: nothing is tracked."""
    for each in _tracker:
        each.close()
