"""What only a frozen copy of the whole program can tell, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from asyncconsole.model.ended import Ended
from asyncconsole.model.gap import Gap


@dataclass(frozen=True, slots=True)
class Wakes:
    """What leads to the futures that tasks wait on: the references among blocked tasks.

    Nodes are numbers; each stands for an object, or for several that always go together.
    Whoever moves may use any node that its references lead to.

    Attributes:
        tasks: For each blocked task its id, the token of the future it is suspended on (see
            `asyncconsole.model.Wait`), the node of that future, and the nodes that the task
            itself leads to.
        leads: For each node those that it leads to.
        outside: Nodes to which something else than a blocked task refers: a module, another
            thread, a timer, a callback, C code.
    """

    tasks: tuple[tuple[int, int, int, tuple[int, ...]], ...] = ()
    leads: tuple[tuple[int, tuple[int, ...]], ...] = ()
    outside: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Autopsy:
    """The findings of one frozen copy.

    Attributes:
        pause: Seconds the program stood still for it.
        took: Seconds until all of it was told.
        wakes: What can wake the blocked tasks; None when that was not found out.
        ended: Tasks that have ended and are still referred to.
        gaps: What could not be found out, and why.
    """

    pause: float = 0.0
    took: float = 0.0
    wakes: Wakes | None = None
    ended: tuple[Ended, ...] = ()
    gaps: tuple[Gap, ...] = ()
