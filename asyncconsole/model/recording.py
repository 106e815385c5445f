"""A program as it was, with what a console knew of it: all that a dump file tells."""

from __future__ import annotations

from dataclasses import dataclass, field

from asyncconsole.model.autopsy import Autopsy
from asyncconsole.model.callbacks import Polls, SlowAccount
from asyncconsole.model.ended import Ended
from asyncconsole.model.finding import Finding
from asyncconsole.model.gap import Gap
from asyncconsole.model.snapshot import Snapshot
from asyncconsole.model.status import DebugStatus, ProbeStatus, TrackStatus

NO_PROBE = ProbeStatus(on=False, threshold=0.0, interval=0.0)
NO_TIMES = SlowAccount(on=False, slow=NO_PROBE.slow)
NO_TRACKING = TrackStatus(tasks=False, frames=0, locks=False, ended=0, dropped=0)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found wrong while the program could still be looked at a second time.

    Attributes:
        taken_at: When the second look was, ISO 8601 UTC.
        total: Tasks that the program had then.
        findings: Worst first.
        gaps: What could not be read.
        copy: What a frozen copy cost and could not tell; None where none was made.
    """

    taken_at: str
    total: int
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    copy: Autopsy | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """All that commands ask of a program.

    Attributes:
        snapshot: The program.
        judgement: The verdict of that time; None where none was made.
        probe: What the stall probe was set to.
        track: What was tracked.
        debug: asyncio's debug mode of its loops.
        slow: What callbacks were slow.
        terminated: Tasks that ended while tasks were tracked, oldest first.
        polls: How long the steps of tasks took, by their ids, where they were timed.
    """

    snapshot: Snapshot
    judgement: Judgement | None = None
    probe: ProbeStatus = NO_PROBE
    track: TrackStatus = NO_TRACKING
    debug: tuple[DebugStatus, ...] = ()
    slow: SlowAccount = NO_TIMES
    terminated: tuple[Ended, ...] = ()
    polls: dict[int, Polls] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """``bank.py (pid 4242), taken at 2026-01-01T00:00:00Z``."""
        seen = self.snapshot
        return f"{seen.program or 'a program'} (pid {seen.pid}), taken at {seen.taken_at}"
