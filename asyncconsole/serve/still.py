"""A program as it was, as the target of commands: they answer as they did on the living one."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

from asyncconsole.commands.deeds import CancelOutcome, Deed, DeedOutcome
from asyncconsole.commands.port import Census, Scope
from asyncconsole.diagnose import confirm
from asyncconsole.model import ConsoleError, Diagnosis, Gap, Snapshot, Stall, UnknownItemError
from asyncconsole.model.autopsy import Autopsy
from asyncconsole.model.busy import Busy
from asyncconsole.model.callbacks import Polls, SlowAccount
from asyncconsole.model.ended import Ended
from asyncconsole.model.recording import Recording
from asyncconsole.model.status import DebugStatus, ProbeStatus, TrackStatus

PART = 500
"""Tasks that `StillTarget.stream` gives at once."""

ONE_LOOK = Gap("a second look", "there was one only, so no deadlock can be proven")


class StillTarget:
    """A program as it was; nothing here waits, so a command is through in a single step.

    Args:
        recording: All of it, threads too.
        polls: How long the steps of a task took; by default what the recording has.
    """

    read_only = True

    def __init__(
        self, recording: Recording, polls: Callable[[int], Polls | None] | None = None
    ) -> None:
        self.title = recording.title
        self._recording = recording
        self._snapshot = recording.snapshot
        self.polls = polls or recording.polls.get
        self._guessed: Diagnosis | None = None

    async def snapshot(
        self,
        scope: Scope = "all",
        *,
        first: int | None = None,
        only: Collection[int] | None = None,
    ) -> Snapshot:
        """The program as it was."""
        if first is None and only is None:
            return self._snapshot
        tasks = [task for task in self._snapshot.tasks if only is None or task.id in only]
        return dataclasses.replace(self._snapshot, tasks=tuple(tasks[:first]))

    async def stream(self, *, first: int | None = None) -> AsyncIterator[Snapshot]:
        """The same in pieces."""
        tasks = self._snapshot.tasks[:first]
        for start in range(0, max(1, len(tasks)), PART):
            piece = tasks[start : start + PART]
            gaps = () if start else self._snapshot.gaps
            yield dataclasses.replace(self._snapshot, tasks=piece, gaps=gaps)

    async def around(
        self,
        tasks: Sequence[str] = (),
        resources: Sequence[str] = (),
        witnesses: Collection[int] = (),
        *,
        deep: bool = False,
    ) -> Snapshot:
        """All of it: nothing that was there is left out."""
        return self._snapshot

    def judgement(self) -> tuple[Snapshot, Diagnosis]:
        """The verdict of that time; without one, what a single look tells."""
        judged, snapshot = self._recording.judgement, self._snapshot
        if judged is None:
            if self._guessed is None:
                self._guessed = confirm(snapshot)
            return dataclasses.replace(snapshot, gaps=(*snapshot.gaps, ONE_LOOK)), self._guessed
        seen = dataclasses.replace(
            snapshot, total=judged.total, gaps=judged.gaps, autopsy=judged.copy
        )
        return seen, Diagnosis(snapshot.pid, judged.taken_at, judged.findings)

    def refusal(self, what: str) -> ConsoleError:
        """The error for what needs a living program."""
        return ConsoleError(f"{what} needs a living program: this is a dump of {self.title}.")

    async def census(self, most_memory: int | None = None) -> Census:
        """Refused: primitives that nobody used are not in a dump."""
        raise self.refusal("`locks --all`")

    async def autopsy(self) -> Autopsy:
        """Refused: there is nothing to copy."""
        raise self.refusal("A frozen copy")

    async def busy(self) -> tuple[Busy, ...]:
        """What was seen when the dump was taken."""
        return self._snapshot.busy

    async def settle(self) -> None:
        """Nothing moves."""

    async def cancel(
        self, tasks: Sequence[int], wait: float, witnesses: Sequence[int] = ()
    ) -> tuple[Sequence[CancelOutcome], Mapping[int, str]]:
        """Refused."""
        raise self.refusal("`cancel`")

    def rehearse(self, deed: Deed) -> None:
        """Refused."""
        raise self.refusal("That")

    async def recover(
        self, deed: Deed, wait: float, witnesses: Sequence[int] = ()
    ) -> tuple[DeedOutcome, Mapping[int, str]]:
        """Refused."""
        raise self.refusal("That")

    def stalls(self) -> Sequence[Stall]:
        """Stalls that were recorded, oldest first."""
        return self._snapshot.stalls

    def probe(
        self,
        *,
        on: bool | None = None,
        threshold: float | None = None,
        polls: bool | None = None,
        slow: float | None = None,
    ) -> ProbeStatus:
        """What the stall probe was set to."""
        if (on, threshold, polls, slow) != (None,) * 4:
            raise self.refusal("To set the probe")
        return self._recording.probe

    def slow_callbacks(self) -> SlowAccount:
        """What callbacks were slow."""
        return self._recording.slow

    def track(self, *, tasks: bool | int | None = None, locks: bool | None = None) -> TrackStatus:
        """What was tracked."""
        if (tasks, locks) != (None, None):
            raise self.refusal("To track")
        return self._recording.track

    async def debug(
        self, *, on: bool | None = None, slow: float | None = None, loop: int | None = None
    ) -> Sequence[DebugStatus]:
        """What debug mode was set to."""
        if (on, slow) != (None, None):
            raise self.refusal("To set debug mode")
        found = [item for item in self._recording.debug if loop is None or item.loop == loop]
        if loop is not None and not found:
            msg = f"No loop {loop}. `loops` lists them."
            raise UnknownItemError(msg)
        return found

    def ended(self) -> Sequence[Ended]:
        """Tasks that had ended while tasks were tracked, oldest first."""
        return self._recording.terminated
