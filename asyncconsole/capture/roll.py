"""What outlives a capture: the program's loops, and numbers of what was met in it.

Kept apart from `capture.program`, which reads a program and is large: this much is there
also while nobody looks.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from asyncconsole.capture import futures, registry
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.loops import LoopBook


class Roll:
    """The program's loops and the numbers of its tasks and futures.

    Args:
        like: Share that one's; None for new ones.

    Attributes:
        loops: Its event loops.
        tasks: Numbers of its tasks.
        futures: Numbers of the futures that tasks wait on.
    """

    def __init__(self, like: Roll | None = None) -> None:
        self.loops: LoopBook = LoopBook() if like is None else like.loops
        self.tasks: Numbers = Numbers() if like is None else like.tasks
        self.futures: Numbers = Numbers() if like is None else like.futures

    def number(self, task: Any) -> tuple[int, str]:
        """Id and name of a live task."""
        return self.tasks.of(task), futures.name(task)

    def find(self, number: int) -> Any:
        """The live task with that id, or None when it has ended and gone."""
        return next((task for known, task in self.tasks.live() if known == number), None)

    def present(self) -> list[tuple[Any, Any]]:
        """Every task of the program that is not done, with its loop."""
        live = [fact.reference() for fact in self.loops.find()]
        found = []
        ours: dict[int, bool] = {}
        for task in registry.tasks([loop for loop in live if loop is not None]):
            loop = futures.loop(task)
            if id(loop) not in ours:
                ours[id(loop)] = bool(self.loops.note(loop))
            if ours[id(loop)]:
                found.append((task, loop))
        return found

    def observe(self, most: int) -> None:
        """Number new tasks, and note what each one is suspended on, so that waits get an age.

        Notes no waits in programs of more than ``most`` tasks.
        """
        listed = [task for task, _ in self.present()]
        new = [task for task in listed if not self.tasks.known(task)]
        for task in sorted(new, key=lambda task: creation_order(futures.name(task))):
            self.tasks.of(task)
        if len(listed) <= most:
            for task in listed:
                future = futures.waiter(task)
                if future is not None and not futures.done(future):
                    self.futures.of(future)


@cache
def shared() -> Roll:
    """The one `Roll` of this process, so that a task keeps its number for life."""
    return Roll()


def creation_order(name: str) -> tuple[bool, int, list[Any]]:
    """Asyncio counts unnamed tasks (``Task-7``); named ones have no order but their name."""
    counted = re.fullmatch(r"Task-(\d{1,15})", name)
    if counted:
        return False, int(counted[1]), []
    pieces = re.split(r"(\d+)", name)
    return True, 0, [(piece.isdigit(), piece.zfill(20)) for piece in pieces]
