"""Who may end a wait for something that only global variables lead to. Never part of a proof."""

from __future__ import annotations

from asyncconsole.diagnose.partners import ENDS, Partners
from asyncconsole.diagnose.sources import OUTER
from asyncconsole.model import Snapshot, Task


class Helpers:
    """Tasks whose code ends the waits of others.

    Args:
        snapshot: The program.
        partners: Its functions.
    """

    def __init__(self, snapshot: Snapshot, partners: Partners) -> None:
        self._snapshot = snapshot
        self._partners = partners
        self._known: dict[tuple[str, str], frozenset[int] | None] = {}
        self._open: bool | None = None

    def of(self, task: Task) -> frozenset[int] | None:
        """Tasks whose code may end what a task waits for.

        Returns:
            Their ids; None when others may end it, or nobody knows.
        """
        wait = task.wait
        if wait is None or not self._partners.known or wait.kind not in ENDS:
            return None
        key = wait.resource or f"task {task.id}", wait.kind
        if key not in self._known:
            self._known[key] = self._find(task, key)
        return self._known[key]

    def _find(self, task: Task, key: tuple[str, str]) -> frozenset[int] | None:
        partners, ends = self._partners, ENDS[key[1]]
        left = set(partners.everywhere(ends, partners.names([task])))
        if not left:
            return None
        uses = frozenset(left)
        found = set()
        for other in self._snapshot.tasks:
            theirs = uses.intersection(partners.uses(partners.routines(other), ends))
            left -= theirs
            wait = other.wait
            same = wait is not None and (wait.resource, wait.kind) == key
            if theirs and other.id != task.id and not same:
                found.add(other.id)
        for ended in self._snapshot.ended:
            left.difference_update(partners.uses(partners.of_ended(ended), ends))
        return None if left and self.open() else frozenset(found)

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
