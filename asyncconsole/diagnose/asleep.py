"""What rules about loops that nobody woke share."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.phrases import counted, listed, spot, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.stalled import loop_words
from asyncconsole.model import Finding, Loop, Task, TaskRole
from asyncconsole.model.finding import ThreadRef


class AsleepRule:
    """A rule about callbacks that wait in the queue of a loop that sleeps."""

    kind = ""
    rank = 66
    fix = ""

    def claims(self, case: Case, loop: Loop) -> bool:
        """True when that is of this kind."""
        raise NotImplementedError

    def who_did(self, case: Case, loop: Loop) -> str:
        """Whose thread left the loop asleep, in words that begin with "by"."""
        raise NotImplementedError

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for each such loop."""
        return [
            self._finding(case, loop)
            for loop in case.snapshot.loops
            if loop.stranded and loop.thread_id is not None and self.claims(case, loop)
        ]

    def _finding(self, case: Case, loop: Loop) -> Finding:
        tasks = stranded_tasks(case, loop)
        names = listed([who(task) for task in tasks])
        waits = listed(list(dict.fromkeys(one.wait for one in loop.stranded if one.wait)))
        by = self.who_did(case, loop)
        name = loop_words(case.snapshot, loop.id)
        if waits:
            text = f"What {names} waited for ({waits}) was completed {by}"
        elif tasks:
            text = f"{names} was made or called on {by}"
        else:
            calls = listed([one.call for one in loop.stranded])
            text = f"{calls} was scheduled {by}"
        text += f" without call_soon_threadsafe, so {name} was not woken and sleeps on"
        ever = loop.timers == 0 and loop.files == 0
        return Finding(
            id="",
            verdict="deadlock" if ever else "suspect",
            proven=ever,
            kind=self.kind,
            summary=text,
            tasks=tuple(TaskRole(task.id, task.name, "stuck") for task in tasks),
            evidence=tuple(_evidence(case, loop)),
            fix=self.fix,
            now="any command that runs on the loop wakes it, such as `console`",
            assumes="no other thread and no signal wakes this loop, which has no timer and no I/O"
            if ever
            else "not proven: it slept all the time between two looks, but its next timer or I/O, "
            "or whatever else wakes it, lets them go on, late",
            threads=(ThreadRef(loop.thread_id or 0, loop.thread),),
        )


def stranded_tasks(case: Case, loop: Loop) -> list[Task]:
    """The tasks that the callbacks would let go on."""
    numbers = dict.fromkeys(number for one in loop.stranded for number in one.tasks)
    return [case.graph.tasks[number] for number in numbers if number in case.graph.tasks]


def _evidence(case: Case, loop: Loop) -> Iterable[str]:
    for task in stranded_tasks(case, loop):
        at = f" at {spot(task.where)}" if task.where is not None else ""
        how = "may go on" if task.wait is None else "will be let go on"
        yield f"{who(task)}{at} {how}, and has made no step"
    yield (
        f"loop {loop.id} has {counted(len(loop.stranded), 'callback')} to run, and its thread "
        f"{loop.thread} waits for events: {listed([one.call for one in loop.stranded])}"
    )
    if loop.timers is not None:
        files = "" if loop.files is None else f", and {counted(loop.files, 'file')}"
        yield f"what would wake it: {counted(loop.timers, 'timer')}{files}"
