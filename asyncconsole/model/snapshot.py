"""A program at one moment, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from asyncconsole.model.autopsy import Autopsy
from asyncconsole.model.blocked import Pool, Start
from asyncconsole.model.busy import Busy
from asyncconsole.model.ended import Ended
from asyncconsole.model.gap import Gap
from asyncconsole.model.loop import Loop, Thread
from asyncconsole.model.order import Inversion
from asyncconsole.model.resource import Resource
from asyncconsole.model.stall import Stall
from asyncconsole.model.task import Task

SNAPSHOT_SCHEMA = "asyncconsole/snapshot/1"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole program.

    Attributes:
        pid: Process id.
        program: What runs, in a word (``bank.py``).
        python: Version of the interpreter.
        taken_at: ISO 8601 UTC.
        uptime: Seconds since the process started.
        took: Seconds the capture took.
        loops: Event loops, without the console's own.
        tasks: Tasks by id, without the console's own.
        total: How many tasks the program has; more than ``tasks`` has when only
            some were asked for.
        resources: Primitives that a task waits for or holds.
        threads: Threads, without the console's own.
        stalls: Recorded stalls, oldest first.
        sources: Text of the source lines that frames and holds name:
            ``(file, line, text)``.
        gaps: What is missing here, said so.
        ended: Tasks that have ended, as far as they are remembered, oldest first.
        autopsy: What a frozen copy told besides; None without one.
        pools: Thread pools that have a thread.
        starts: Coroutines that loops have still to start and that tasks wait for.
        busy: What loops that never waited were seen to run; only where it was asked for.
        inversions: Locks that were taken in orders which contradict each other, while locks
            were tracked.
        growth: Seconds ago and how many tasks there were then, oldest first, as far as a
            console has counted; ended ones that are kept may be among them.
    """

    pid: int
    program: str
    python: str
    taken_at: str
    uptime: float = 0.0
    took: float = 0.0
    loops: tuple[Loop, ...] = ()
    tasks: tuple[Task, ...] = ()
    total: int = 0
    resources: tuple[Resource, ...] = ()
    threads: tuple[Thread, ...] = ()
    stalls: tuple[Stall, ...] = ()
    sources: tuple[tuple[str, int, str], ...] = ()
    gaps: tuple[Gap, ...] = ()
    ended: tuple[Ended, ...] = ()
    autopsy: Autopsy | None = None
    pools: tuple[Pool, ...] = ()
    starts: tuple[Start, ...] = ()
    busy: tuple[Busy, ...] = ()
    inversions: tuple[Inversion, ...] = ()
    growth: tuple[tuple[float, int], ...] = ()
    schema: str = SNAPSHOT_SCHEMA

    def task(self, number: int) -> Task | None:
        """The task with that id, or None."""
        return next((task for task in self.tasks if task.id == number), None)

    def resource(self, number: str) -> Resource | None:
        """The primitive with that id, or None."""
        return next((item for item in self.resources if item.id == number), None)
