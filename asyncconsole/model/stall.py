"""A time in which an event loop did not run its callbacks."""

from __future__ import annotations

from dataclasses import dataclass

from asyncconsole.model.task import Frame


@dataclass(frozen=True, slots=True)
class Stall:
    """One stall, over or going on.

    Attributes:
        id: Number, counts up.
        loop: Id of the loop.
        started_at: ISO 8601 UTC.
        duration: Seconds, so far when ``ongoing``.
        ongoing: True while the loop is still blocked.
        kind: ``blocking_call``, ``cpu_bound`` or ``gil_holding_c_call``.
        task: Id of the task that ran, or None (a plain callback).
        task_name: Its name, or "".
        frame: The program's own innermost frame most often seen.
        call: What that frame was calling (``time.sleep``), or "".
        stack: The most frequent whole stack, outermost first.
        samples: How many times the stack was read.
        cpu: Share of the stall the thread spent on a CPU, 0 to 1; None if unknown.
        late: Ready callbacks that waited; None when the loop doesn't tell.
        shared: Every task that was seen to run, with its name and in how many looks.
    """

    id: int
    loop: int
    started_at: str
    duration: float
    ongoing: bool
    kind: str
    task: int | None
    task_name: str
    frame: Frame | None
    call: str = ""
    stack: tuple[Frame, ...] = ()
    samples: int = 0
    cpu: float | None = None
    late: int | None = None
    shared: tuple[tuple[int, str, int], ...] = ()
