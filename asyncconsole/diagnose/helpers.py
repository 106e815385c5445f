"""Who may end a wait, by what the program's code does. Never part of a proof."""

from __future__ import annotations

from asyncconsole.diagnose.partners import ENDS, Partners, Use
from asyncconsole.diagnose.sources import OUTER, Sources
from asyncconsole.model import Snapshot, Task

MOST = 300
"""Waits for which code is asked."""


_TAKES = frozenset({"acquire"})

_OWNED = frozenset({"anyio.Lock"})
"""Types of locks that refuse a release by anyone but the task that took them."""


class Helpers:
    """Tasks whose code ends the waits of others.

    Args:
        snapshot: The program.
        partners: Its functions.
        sources: Who can get at what.
    """

    def __init__(self, snapshot: Snapshot, partners: Partners, sources: Sources) -> None:
        self._snapshot = snapshot
        self._partners = partners
        self._sources = sources
        self._common = sources.common()
        self.known = partners.known and len(sources.known) <= MOST
        self._known: dict[tuple[str, str], frozenset[int] | None] = {}
        self._open: bool | None = None

    def of(self, task: Task) -> frozenset[int] | None:
        """Tasks whose code may end what a task waits for.

        Returns:
            Their ids; None when others may end it, or nobody knows.
        """
        wait = task.wait
        if wait is None:
            return None
        key = wait.resource or f"task {task.id}", wait.kind
        if key not in self._known:
            near = self._near(task, wait.kind)
            far = self._find(task, key) if task.id in self._common else frozenset()
            self._known[key] = None if far is None else near | far
        return self._known[key]

    def _near(self, task: Task, kind: str) -> frozenset[int]:
        """Tasks that can get at it, and whose code ends such waits, or is not known."""
        ends = ENDS.get(kind, ENDS["future"])
        near = set(self._sources.wakers(task.id, [other.id for other in self._snapshot.tasks]))
        return frozenset(
            other.id
            for other in self._snapshot.tasks
            if other.id in near and self._may(other, ends)
        )

    def _may(self, task: Task, ends: frozenset[str]) -> bool:
        routines = self._partners.routines(task)
        known = {frame.file for frame in task.frames if frame.own}
        if not known or not known.issubset(self._partners.files):
            return True
        return any(self._comes_to(task, use) for use in self._partners.uses(routines, ends))

    def _comes_to(self, task: Task, use: Use) -> bool:
        """False for a ``release()`` of what the same function takes first, and this task has not.

        Whoever would come to it must have got what everybody waits for.
        """
        if use.method != "release":
            return True
        for routine in self._partners.at(use.file, use.line, use.function):
            takes = [
                line
                for owner, method, line in routine.uses
                if method == "acquire" and owner == use.owner and line < use.line
            ]
            beyond = any(
                frame.file == use.file
                and frame.function == use.function
                and frame.line > min(takes, default=0)
                for frame in task.frames
            )
            if takes and not beyond:
                return False
        return True

    def _find(self, task: Task, key: tuple[str, str]) -> frozenset[int] | None:
        partners, ends = self._partners, ENDS.get(key[1])
        if ends is None:
            return None
        left = set(partners.everywhere(ends, partners.names([task])))
        if not left:
            return frozenset() if self._lost(task) else None
        uses = frozenset(left)
        found = set()
        for other in self._snapshot.tasks:
            theirs = uses.intersection(partners.uses(partners.routines(other), ends))
            left -= theirs
            wait = other.wait
            same = wait is not None and (wait.resource, wait.kind) == key
            comes = any(self._comes_to(other, use) for use in theirs)
            if comes and other.id != task.id and not same:
                found.add(other.id)
        for ended in self._snapshot.ended:
            left.difference_update(partners.uses(partners.of_ended(ended), ends))
        return None if left and self.open() else frozenset(found)

    def _lost(self, task: Task) -> bool:
        """True when a lock is taken, no task has it, and nobody else would release it.

        Only its owner can, or the program's own code takes it by ``acquire()`` and nowhere
        calls ``release()``.
        """
        wait = task.wait
        item = self._snapshot.resource(wait.resource or "") if wait is not None else None
        if item is None or not (item.locked and item.sound) or item.holders:
            return False
        if item.type in _OWNED:
            return True
        partners = self._partners
        return not partners.releases and bool(partners.everywhere(_TAKES, partners.names([task])))

    def open(self) -> bool:
        """True when something from outside may have code run that no task has on its stack."""
        if self._open is None:
            loops = {loop.thread_id for loop in self._snapshot.loops}
            self._open = any(
                thread.ident not in loops and any(frame.own for frame in thread.frames)
                for thread in self._snapshot.threads
            ) or any(
                task.wait is not None and task.wait.kind in OUTER and task.wait.kind != "timer"
                for task in self._snapshot.tasks
            )
        return self._open
