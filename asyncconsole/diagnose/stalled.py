"""What rules about stalls share: which stalls count, and the words for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from asyncconsole.diagnose.phrases import counted, lasting, spot
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Loop, Snapshot, Stall, Task, TaskRole
from asyncconsole.model.stall import COLLECTION, turn

RECENT = 60.0
"""Seconds for which a stall that is over still counts."""

FEW = 20
"""Tasks that are named as victims at most; of more only their number is told."""


def recent(snapshot: Snapshot) -> tuple[Stall, ...]:
    """Stalls that go on, and those that were over less than `RECENT` ago."""
    return tuple(
        stall
        for stall in snapshot.stalls
        if (stall.ongoing or over_since(snapshot, stall) < RECENT)
        and not _ours(stall)
        and not _nobodys(stall)
    )


def _nobodys(stall: Stall) -> bool:
    """True when something that is over held the GIL, and no code of the program was seen at it.

    A machine that gave the process no CPU for a moment looks the same.
    """
    if stall.call == COLLECTION:
        return False
    own = stall.frame is not None and stall.frame.own
    return stall.kind == "gil_holding_c_call" and not stall.ongoing and not own


def _ours(stall: Stall) -> bool:
    """True when the console itself was in the way: that says nothing about the program."""
    frame = stall.frame
    if frame is None or frame.own:
        return False
    return "asyncconsole" in frame.file.replace("\\", "/").split("/")


def over_since(snapshot: Snapshot, stall: Stall) -> float:
    """Seconds between the end of a stall and the snapshot."""
    ended = _seconds(stall.started_at) + stall.duration
    return max(0.0, _seconds(snapshot.taken_at) - ended)


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def loop_words(snapshot: Snapshot, number: int) -> str:
    """``the loop``, or ``loop 2 (thread worker)`` where there are several."""
    loop = loop_of(snapshot, number)
    if len(snapshot.loops) < 2:  # noqa: PLR2004 - nothing to tell apart
        return "the loop"
    thread = f" (thread {loop.thread})" if loop is not None and loop.thread else ""
    return f"loop {number}{thread}"


def loop_of(snapshot: Snapshot, number: int) -> Loop | None:
    """The loop with that number."""
    return next((loop for loop in snapshot.loops if loop.id == number), None)


def culprit(stall: Stall) -> str:
    """``nightly (3)``, or the callback that ran instead of a task."""
    if stall.task is not None:
        return f"{stall.task_name} ({stall.task})"
    first = next((frame for frame in turn(stall.stack) if frame.own), None)
    return f"the callback {first.function}" if first is not None else "a callback"


def starving(case: Case, stall: Stall) -> list[Task]:
    """The other tasks of a loop that is blocked."""
    return [
        task
        for task in case.snapshot.tasks
        if task.loop == stall.loop and task.id != stall.task and task.state != "running"
    ]


class StallRule:
    """A rule about loops that do not run their callbacks; subclasses say which and why."""

    kind = ""
    rank = 90

    def claims(self, case: Case, stall: Stall) -> bool:
        """True when this stall is of this kind."""
        return stall.kind == self.kind

    def doing(self, stall: Stall) -> str:
        """What the loop's thread does, after the words for how long."""
        raise NotImplementedError

    def fix(self, stall: Stall) -> str:
        """What to change in the program."""
        raise NotImplementedError

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for each place at which loops stalled."""
        groups: dict[object, list[Stall]] = {}
        for stall in case.stalls:
            if self.claims(case, stall):
                groups.setdefault(self.same(stall), []).append(stall)
        return [self._finding(case, group) for group in groups.values()]

    def same(self, stall: Stall) -> object:
        """Stalls for which this is equal are one finding."""
        return stall.loop, stall.frame, stall.call

    def roles(self, case: Case, stall: Stall) -> Iterable[TaskRole]:
        """The tasks that are named."""
        if stall.task is not None:
            yield TaskRole(stall.task, stall.task_name, "culprit")
        yield from victims(case, stall)

    def evidence(self, case: Case, stall: Stall) -> Iterable[str]:
        """More facts, after those that all stalls have."""
        return ()

    def _finding(self, case: Case, group: Sequence[Stall]) -> Finding:
        last = group[-1]
        return Finding(
            id="",
            verdict="stall",
            proven=False,
            kind=self.kind,
            summary=self._summary(case, group),
            tasks=tuple(self.roles(case, last)),
            evidence=(*_facts(case, group), *self.evidence(case, last)),
            fix=self.fix(last),
            now=_now(last),
            assumes="observed: its thread was looked at from another one meanwhile",
            stall_ids=tuple(stall.id for stall in group),
        )

    def _summary(self, case: Case, group: Sequence[Stall]) -> str:
        last = group[-1]
        name = loop_words(case.snapshot, last.loop)
        name = name[:1].upper() + name[1:]
        if last.ongoing:
            how = f"{name} has been blocked for {lasting(last.duration, exact=True)}"
        elif len(group) == 1:
            how = f"{name} was blocked for {lasting(last.duration, exact=True)}"
        else:
            most = lasting(max(stall.duration for stall in group), exact=True)
            how = f"{name} was blocked {len(group)} times in a minute, for {most} at most,"
        text = f"{how} by {self.doing(last)}"
        if not last.ongoing:
            ago = lasting(over_since(case.snapshot, last), exact=True)
            return f"{text}; it has been running again for {ago}"
        waiting = _waiting(case, last)
        return f"{text}; {waiting}" if waiting else text


def victims(case: Case, stall: Stall) -> Iterable[TaskRole]:
    """The tasks that wait for a loop that is blocked, if they are few."""
    others = starving(case, stall) if stall.ongoing else []
    if len(others) <= FEW:
        yield from (TaskRole(task.id, task.name, "victim") for task in others)


def _waiting(case: Case, stall: Stall) -> str:
    """``its 3 other tasks and 2 ready callbacks wait``."""
    loop = loop_of(case.snapshot, stall.loop)
    others = (loop.tasks if loop is not None else 0) - (stall.task is not None)
    words = []
    if others > 0:
        words.append(f"its {counted(others, 'other task')}")
    if stall.late:
        words.append(counted(stall.late, "callback") + " that could run")
    if not words:
        return ""
    verb = "waits" if others + (stall.late or 0) == 1 else "wait"
    return f"{' and '.join(words)} {verb}"


def _facts(case: Case, group: Sequence[Stall]) -> Iterable[str]:
    """What was seen of the last of several equal stalls, and how many there were."""
    stall = group[-1]
    loop = loop_of(case.snapshot, stall.loop)
    thread = f" in thread {loop.thread}" if loop is not None and loop.thread else ""
    span = lasting(stall.duration, exact=True)
    verb = "has run" if stall.ongoing else "ran"
    yield f"loop {stall.loop}{thread} {verb} no callback for {span}, since {stall.started_at}"
    if stall.frame is not None:
        call = f", in {stall.call}" if stall.call else ""
        looks = counted(stall.samples, "look")
        yield f"its thread was at {spot(stall.frame)}{call}, most often of {looks}"
    path = [frame.function for frame in turn(stall.stack) if frame.own]
    if len(path) > 1:
        yield f"called through {' > '.join(path[-6:])}"
    if stall.cpu is not None:
        yield f"the thread used a CPU for {stall.cpu:.0%} of that time"
    if stall.late is not None:
        yield f"callbacks that could have run meanwhile: {stall.late}"
    if len(group) > 1:
        yield f"{len(group)} such stalls in the last {RECENT:.0f} s"


def _now(stall: Stall) -> str:
    if stall.ongoing:
        return (
            "stacktrace   shows the whole stack; `cancel` reaches no task of a loop that is blocked"
        )
    return "stalls   lists when it happened"
