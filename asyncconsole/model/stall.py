"""A time in which an event loop did not run its callbacks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from asyncconsole.model.task import Frame

_ENTRIES = {"_run_once", "run_forever", "run_until_complete", "_run", "run"}
"""Functions of asyncio between which and the top of a stack a loop's turn is."""


COLLECTION = "garbage collection"
"""What a stall was in that the garbage collector has caused; such a one blames nobody."""


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
        call: What that frame was calling (``time.sleep``), or "", or `COLLECTION`.
        stack: The most frequent whole stack, outermost first.
        samples: How many times the stack was read.
        cpu: Share of the stall the thread spent on a CPU, 0 to 1; None if unknown.
        late: Ready callbacks that waited; None when the loop doesn't tell.
        shared: Every task that was seen to run, with its name and in how many looks.
        stacks: The different stacks and how often each was seen, the most frequent first.
            Bounded: rare ones may be missing, so the counts can add up to less than
            ``samples``.
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
    stacks: tuple[tuple[tuple[Frame, ...], int], ...] = ()

    @property
    def culprit(self) -> str:
        """``ledger.py:88 read_ledger → time.sleep``; ``?`` where nothing was seen."""
        frame = self.frame
        if frame is None:
            return self.call or "?"
        file = frame.file.replace("\\", "/").rpartition("/")[2]
        call = f" → {self.call}" if self.call else ""
        return f"{file}:{frame.line} {frame.function}{call}"

    @property
    def summary(self) -> str:
        """One line: which loop, for how long, by whom, where."""
        lasted = (
            f"is blocked, {self.duration:.2f} s so far"
            if self.ongoing
            else f"was blocked for {self.duration:.2f} s"
        )
        kind = self.kind.replace("_", " ")
        if self.call == COLLECTION:
            return f"loop {self.loop} {lasted}: {self.call}, which nobody is to blame for ({kind})"
        who = "a callback" if self.task is None else f"task {self.task_name} ({self.task})"
        return f"loop {self.loop} {lasted}: {who} at {self.culprit} ({kind})"

    def document(self) -> dict[str, object]:
        """It as ``stalls --json`` shows it."""
        return {
            "id": self.id,
            "loop": self.loop,
            "started_at": self.started_at,
            "duration": round(self.duration, 3),
            "ongoing": self.ongoing,
            "kind": self.kind,
            "task": self.task,
            "task_name": self.task_name,
            "frame": None if self.frame is None else _place(self.frame),
            "call": self.call,
            "samples": self.samples,
            "cpu": self.cpu,
            "late": self.late,
            "stack": [dataclasses.asdict(frame) for frame in self.stack],
            "stacks": [
                {"samples": count, "frames": [_place(frame) for frame in stack]}
                for stack, count in self.stacks
            ],
        }


def turn(stack: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """The part of a stack that is inside a loop's turn, outermost frame first."""
    start = 0
    for index, frame in enumerate(stack):
        folder = frame.file.replace("\\", "/").split("/")[-2:-1]
        if folder == ["asyncio"] and frame.function.rpartition(".")[2] in _ENTRIES:
            start = index + 1
    return stack[start:]


def _place(frame: Frame) -> dict[str, str | int]:
    return {"file": frame.file, "line": frame.line, "function": frame.function}
