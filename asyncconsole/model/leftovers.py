"""Objects of a program that nobody lists: what was made and is used by no task."""

from __future__ import annotations

from dataclasses import dataclass

from asyncconsole.model.task import Frame


@dataclass(frozen=True, slots=True)
class Unstarted:
    """A coroutine of the program's own that was made and never started.

    Attributes:
        function: Qualified name of its function.
        file: Where that is defined.
        line: Its first line; where the coroutine was dropped if it was.
        created: Where it was made, innermost first; only with origin tracking (debug mode).
        kept: What refers to it, in words; "" when that was not found.
        hands: Ids of tasks whose own code names what leads to it: they may yet await it.
        dropped: It is gone: Python has warned that it was never awaited.
    """

    function: str
    file: str
    line: int
    created: tuple[Frame, ...] = ()
    kept: str = ""
    hands: tuple[int, ...] = ()
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class OpenGenerator:
    """An async generator that is suspended at a ``yield``, and that no task iterates now.

    Attributes:
        function: Qualified name of its function.
        file: Where that is defined.
        line: The ``yield`` where it stands.
        holds: Id of each primitive that it has, with the line that took it.
        kept: What refers to it, in words; "" when that was not found.
    """

    function: str
    file: str
    line: int
    holds: tuple[tuple[str, int], ...] = ()
    kept: str = ""
