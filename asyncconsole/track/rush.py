"""The ends of tasks that are created faster than each can be given a done callback.

A done callback costs as much as a short task itself: the loop schedules a call for it. So
only tasks at an ordinary pace get one. Those of a rush are put on a list, which is gone
through now and then: what has ended by then is written down, what still lives gets its
callback late, when it is clear that it is no short-lived one. Meanwhile the list keeps
these tasks, so an ended one may live a fraction of a second longer than it would.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.track.ended import MOST

BEAT = 0.1
"""Seconds between two looks at the tasks of a rush."""

ORDINARY = 64
"""Tasks in that time that get a done callback at once; about 0.2 ms of work."""

ROOM = 64
"""Ended tasks of a rush that are kept for a beat when there are more than can be remembered."""

YOUNG = 64
"""Tasks of a rush after which the ended ones among them are let go of early."""

LIVING = 4096
"""Tasks of a rush that still lived at such a moment, from which on they are looked at anew."""

SLICE = 1000
"""Tasks that get their callback in one turn of the loop."""


class _Queue:
    """The tasks of one loop; used in its thread alone, but for `fresh`.

    Attributes:
        loop: Weak reference to the loop.
        fresh: Tasks not sorted yet.
        living: Those that had not ended when last looked at.
        mature: Those that have lived for a beat, and ...
        late: ... for two: they are going to get a callback.
        ended: Those that are going to be written down.
        most: Length of `living` from which it is looked at anew.
        due: When it is time to look at the latest, monotonic.
        crowd: How many have ended in this beat, about.
        room: How many of those are kept.
        asked: True while the loop has been asked to look.
    """

    __slots__ = (
        "asked",
        "crowd",
        "due",
        "ended",
        "fresh",
        "key",
        "late",
        "living",
        "loop",
        "mature",
        "most",
        "room",
    )

    def __init__(self, loop: Any) -> None:
        self.loop = weakref.ref(loop)
        self.key = id(loop)
        self.fresh: list[Any] = []
        self.living: list[Any] = []
        self.mature: list[Any] = []
        self.late: list[Any] = []
        self.ended: deque[Any] = deque()
        self.crowd, self.room = 0, MOST
        self.most = LIVING
        self.due = 0.0
        self.asked = False

    def held(self) -> list[Any]:
        """Everything, in about the order of creation. May be asked in any thread."""
        lists = (self.ended, self.late, self.mature, self.living, self.fresh)
        return [task for held in lists for task in _copy(held)]

    def sort(self) -> int:
        """Tell the ended from the living.

        Returns:
            How many of the ended are forgotten for want of room.
        """
        fresh, self.fresh = self.fresh, []
        count = self._part(fresh, self.living)
        if len(self.living) >= self.most:
            living: list[Any] = []
            count += self._part(self.living, living)
            self.living = living
            self.most = max(LIVING, 2 * len(living))
        return count

    def _part(self, tasks: list[Any], living: list[Any]) -> int:
        """Part the ended from the living, and forget the oldest of the ended."""
        ended, ctask = self.ended, futures.CTask
        before = len(ended)
        for task in tasks:
            # Of the program's own types nothing is called.
            if task.done() if type(task) is ctask else futures.done(task):
                ended.append(task)
            else:
                living.append(task)
        self.crowd += len(ended) - before
        if self.crowd > MOST:
            # What the ring could not keep either is not worth the memory, nor the time:
            # it takes longer to make new tasks than to use the place of old ones.
            self.room = ROOM
        lost = max(0, len(ended) - self.room)
        for _ in range(lost):
            ended.popleft()
        return lost


class Rush:
    """Tasks that were created in a rush, until it is known how they end.

    Args:
        finish: Remembers a task that has ended, some time before now.
        follow: Gives a task that still lives a done callback; called in its loop's thread.
        forget: Told how many ended tasks nobody will remember.
    """

    def __init__(
        self,
        finish: Callable[[Any], None],
        follow: Callable[[Any], None],
        forget: Callable[[int], None],
    ) -> None:
        self.young: list[Any] = []
        """Where hooks append tasks; always this very list."""
        self._queues: dict[int, _Queue] = {}
        self._busy = threading.Lock()
        self._finish, self._follow, self._forget = finish, follow, forget

    def look(self, loop: Any, now: float) -> tuple[int, float]:
        """Go through the list, in the thread of a loop; never waits.

        Args:
            loop: The tasks of others are left to them.
            now: Monotonic time.

        Returns:
            How many tasks may get a callback at once from now on, and when to look again
            at the latest.
        """
        if not self._busy.acquire(blocking=False):
            return 0, now  # another thread does, or a destructor that this has run
        try:
            queue = self._queue(loop)
            queue.fresh += self._share(loop)
            self._forget(queue.sort())
            if now < queue.due:
                return 0, queue.due
            self._settle(queue, loop, now)
            return ORDINARY, queue.due
        finally:
            self._busy.release()

    @property
    def busy(self) -> bool:
        """True while there are tasks here."""
        return bool(self.young or self._queues)

    def beat(self, idle: Callable[[Any], bool]) -> None:
        """After a rush nobody looks any more: ask the loops to. Runs in the side thread.

        Args:
            idle: Says whether a loop waits for events.
        """
        now = time.monotonic()
        if not self.busy or not self._busy.acquire(blocking=False):
            return
        try:
            self._share(None)
            queues = [queue for queue in self._queues.values() if now >= queue.due + BEAT]
        finally:
            self._busy.release()
        for queue in queues:
            loop = queue.loop()
            if loop is None or loop.is_closed() or not loop.is_running():
                self._visit(queue, loop)  # it has no thread that could
            elif not queue.asked and not (idle(loop) and getattr(loop, "_ready", None)):
                # (A callback in the queue of a loop that waits for events was put there
                # by another thread without waking it: to wake it now would hide that.)
                queue.asked = True
                with contextlib.suppress(RuntimeError):  # closed by now
                    loop.call_soon_threadsafe(self._visit, queue, loop)

    def unsaid(self) -> list[Any]:
        """Tasks that have ended and are not written down yet. May be asked in any thread."""
        young = _copy(self.young)  # first: from there they go to the queues
        held = [task for queue in _copy(self._queues.values()) for task in queue.held()]
        unique = {id(task): task for task in (*held, *young)}
        return [task for task in unique.values() if futures.done(task)]

    def close(self) -> None:
        """Write down what has ended; let go of everything."""
        with self._busy:
            self._share(None)
            queues = list(self._queues.values())
            self._queues.clear()
        for queue in queues:
            held, loop = queue.held(), queue.loop()
            for task in held:
                if futures.done(task):
                    self._finish(task)
            if loop is not None and loop.is_running():
                with contextlib.suppress(RuntimeError):  # closed by now
                    loop.call_soon_threadsafe(held.clear)  # so that it lets go of them last

    def _share(self, loop: Any) -> list[Any]:
        """Give every other loop its tasks; returns those of ``loop``.

        They leave `young` last, so that `unsaid` misses none.
        """
        batch = self.young[:]
        ctask = futures.CTask
        mine = []
        for task in batch:
            of = task._loop if type(task) is ctask else futures.loop(task)  # noqa: SLF001 - a C getter
            if of is loop:
                mine.append(task)
            elif of is not None:
                self._queue(of).fresh.append(task)
        del self.young[: len(batch)]
        return mine

    def _queue(self, loop: Any) -> _Queue:
        found = self._queues.get(id(loop))
        if found is None or found.loop() is not loop:
            found = self._queues[id(loop)] = _Queue(loop)
        return found

    def _visit(self, queue: _Queue, loop: Any) -> None:
        """Look once more, whether it is time or not. Runs in the loop's thread."""
        queue.asked = False
        if not self._busy.acquire(blocking=False):
            return
        try:
            queue.fresh += self._share(loop)
            self._forget(queue.sort())
            self._settle(queue, loop, time.monotonic())
            if not queue.held():
                self._queues.pop(queue.key, None)
        finally:
            self._busy.release()

    def _settle(self, queue: _Queue, loop: Any, now: float) -> None:
        """Write down the ended, follow those that have lived for a whole beat."""
        queue.due = now + BEAT
        queue.room = ROOM if queue.crowd > MOST else MOST
        queue.crowd = 0
        queue.late += queue.mature
        queue.mature, queue.living, queue.most = queue.living, [], LIVING
        self._go_on(queue, loop)
        while queue.ended:
            self._finish(queue.ended.popleft())

    def _go_on(self, queue: _Queue, loop: Any) -> None:
        """Follow some of those that have lived for long; the others in the next turn."""
        running = loop is not None and loop.is_running()
        most = SLICE if running else len(queue.late)
        batch, queue.late = queue.late[:most], queue.late[most:]
        for task in batch:
            if futures.done(task):
                queue.ended.append(task)
            else:
                self._follow(task)
        if queue.late:
            loop.call_soon(self._go_on, queue, loop)


def _copy(held: Iterable[Any]) -> list[Any]:
    """A list of what may change in another thread."""
    for _ in range(5):
        try:
            return list(held)
        except RuntimeError:  # one was added meanwhile
            continue
    return []
