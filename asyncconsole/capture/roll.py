"""What outlives a capture: the program's loops, and numbers of what was met in it.

Kept apart from `capture.program`, which reads a program and is large: this much is there
also while nobody looks.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cache
from typing import Any, NamedTuple

from asyncconsole.capture import futures, quiet, registry
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.loops import LoopBook
from asyncconsole.capture.order import by_creation
from asyncconsole.capture.running import has_gil

SWEPT = 2_000
"""New numbers between two chances for the collector."""


GROWTH = 1.5
"""How many times the tasks numbered last there must be for a large program to be looked at."""


class Muster(NamedTuple):
    """Who is there.

    Attributes:
        tasks: Live tasks that are not done, in the order of their numbers.
        counts: How many each loop has, by the loop's ``id``.
    """

    tasks: list[Any]
    counts: dict[int, int]


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
        self._enlisted = 0
        self.loops: LoopBook = LoopBook() if like is None else like.loops
        self.tasks: Numbers = Numbers() if like is None else like.tasks
        self.futures: Numbers = Numbers() if like is None else like.futures

    def number(self, task: Any) -> tuple[int, str]:
        """Id and name of a live task."""
        return self.tasks.of(task), futures.name(task)

    def find(self, number: int) -> Any:
        """The live task with that id, or None when it has ended and gone."""
        return self.tasks.numbered(number)

    def look(self, loop: Any = None) -> Muster:
        """Every task that is not done, numbered and in the order of the numbers.

        Args:
            loop: Leave alone the tasks of all other loops; None for no such limit.
        """
        live = [fact.reference() for fact in self.loops.find()] if loop is None else [loop]
        counts: dict[int, int] = {}
        ours: dict[int, Any] = {}
        theirs: dict[int, Any] = {}
        found: dict[int, Any] = {}
        for task in registry.tasks([one for one in live if one is not None], loop):
            home = futures.loop(task)
            key = id(home)
            if key not in ours:
                if key in theirs:
                    continue
                if not self.loops.note(home):
                    theirs[key] = home
                    continue
                ours[key] = home
                counts[key] = 0
            counts[key] += 1
            found[id(task)] = task
        new = self.tasks.new(found.values())
        # No list of pairs: the collector would have to follow a hundred thousand of them.
        for index, task in enumerate(by_creation(zip(map(futures.name, new), new, strict=True))):
            self.tasks.of(task)
            if index % SWEPT == SWEPT - 1:
                quiet.sweep()
        return Muster([found[key] for key in self.tasks.ids() if key in found], counts)

    def meet(self, tasks: list[Any]) -> Generator[None, None, None]:
        """Number what these tasks are suspended on before anything else is made of them.

        What lasts is then all that is new, and the collector can pass it in small steps
        without also taking what is soon forgotten for old.

        Yields:
            None, between slices.
        """
        for start in range(0, len(tasks), SWEPT):
            slice_ = tasks[start : start + SWEPT]
            waiters = [future for task in slice_ if (future := futures.waiter(task)) is not None]
            for future in self.futures.new(waiters):
                if not futures.done(future):
                    self.futures.of(future)
            quiet.sweep()
            yield None

    def observe(self, most: int) -> list[Any] | None:
        """Note which future each task is suspended on, so that waits get an age.

        Does nothing without the GIL. In programs of more than ``most`` tasks these are only
        numbered, and that once they have become many more, so that it need not be done
        while somebody waits.

        Returns:
            The tasks that were looked at; None when that was left out.
        """
        if not has_gil():
            return None
        count = registry.registered()
        if count > most:
            if count > self._enlisted * GROWTH:
                with quiet.quiet():
                    self.look()
                self._enlisted = count
            return None
        listed = self.look().tasks
        if len(listed) > most:
            return None
        for task in listed:
            future = futures.waiter(task)
            if future is not None and not futures.done(future):
                self.futures.of(future)
        return listed


@cache
def shared() -> Roll:
    """The one `Roll` of this process, so that a task keeps its number for life."""
    return Roll()
