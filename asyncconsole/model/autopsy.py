"""What only a frozen copy of the whole program can tell, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from asyncconsole.model.ended import Ended
from asyncconsole.model.gap import Gap
from asyncconsole.model.leftovers import OpenGenerator, Unstarted


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
        shared: Those of ``outside`` to which, beside blocked tasks, only global variables and
            class attributes of the program lead.
        kept: Ids of the tasks whose future others were to find: it is in a container, a
            closure or an attribute, not only in the variables of whoever awaits it.
        keeps: Generators of the program that tasks keep suspended, as for leaving an
            ``@asynccontextmanager``: task, file, line and function.
    """

    tasks: tuple[tuple[int, int, int, tuple[int, ...]], ...] = ()
    leads: tuple[tuple[int, tuple[int, ...]], ...] = ()
    outside: tuple[int, ...] = ()
    shared: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    keeps: tuple[tuple[int, str, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Routine:
    """A function of the program, and what its code does with primitives.

    Attributes:
        file: Path as the code object has it.
        line: Its first line.
        function: Qualified name where Python knows it (3.11+), else the name.
        uses: Owner, method and line of each use: ``("jobs", "put", 12)``; the owner is the
            last name before the method, "" for what a call gave.
        calls: Names of own functions that it calls or hands on.
    """

    file: str
    line: int
    function: str
    uses: tuple[tuple[str, str, int], ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Autopsy:
    """The findings of one frozen copy.

    Attributes:
        pause: Seconds the program stood still for it.
        took: Seconds until all of it was told.
        wakes: What can wake the blocked tasks; None when that was not found out.
        routines: The program's own functions, those that have to do with primitives.
        ended: Tasks that have ended and are still referred to.
        gaps: What could not be found out, and why.
        unstarted: Coroutines that were never started.
        generators: Async generators that hold something and that no task iterates now.
        ahead: Tasks, and the functions that they are suspended in, outermost first, with what
            these can still come to alone.
        readers: For each task that is held up at streams nobody reads, ids of the others that
            refer to these and may read them.
    """

    pause: float = 0.0
    took: float = 0.0
    wakes: Wakes | None = None
    routines: tuple[Routine, ...] = ()
    ended: tuple[Ended, ...] = ()
    gaps: tuple[Gap, ...] = ()
    unstarted: tuple[Unstarted, ...] = ()
    generators: tuple[OpenGenerator, ...] = ()
    ahead: tuple[tuple[tuple[int, ...], tuple[Routine, ...]], ...] = ()
    readers: tuple[tuple[int, tuple[int, ...]], ...] = ()
