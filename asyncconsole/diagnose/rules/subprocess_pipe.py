"""A child process that can't go on, for nobody reads what it writes."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose import jams
from asyncconsole.diagnose.phrases import lasting, listed, where, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Task, TaskRole
from asyncconsole.model.jam import Jam


class _SubprocessPipe:
    kind = "subprocess_pipe"
    rank = 65
    fix = (
        "read the pipes while the child runs: `await process.communicate(input)` does all of it "
        "at once; or give stdout and stderr tasks that read them to the end, or send them to "
        "`asyncio.subprocess.DEVNULL`"
    )

    def check(self, case: Case) -> Iterable[Finding]:
        children: dict[int, list[Task]] = {}
        for task in jams.held_up(case):
            jam = _jam(task)
            if jam.pid is not None and jam.paused:
                children.setdefault(jam.pid, []).append(task)
        found = []
        for pid, group in children.items():
            readers = jams.others(case, group)
            if not readers:
                found.append(self._finding(case, pid, group, known=readers is not None))
        return found

    def _finding(self, case: Case, pid: int, group: list[Task], *, known: bool) -> Finding:
        roles = [TaskRole(task.id, task.name, "stuck") for task in group]
        roles += [TaskRole(task.id, task.name, "victim") for task in jams.victims(case, group)]
        jam = _jam(group[0])
        pipes = listed(list(jam.paused))
        verb = "is" if len(jam.paused) == 1 else "are"
        what = (
            f"writes to child process {pid}"
            if jam.does == "drain"
            else f"waits for child process {pid} to end"
        )
        return Finding(
            id="",
            verdict="suspect",
            proven=False,
            kind=self.kind,
            summary=f"{group[0].name} {what} at {where(group[0])}, while its {pipes} {verb} full "
            "and nobody reads",
            tasks=tuple(roles),
            evidence=tuple(_evidence(pid, group)),
            fix=self.fix,
            now=f"cancel {group[0].id}",
            assumes=_doubt(pid, jam) if known else jams.UNKNOWN,
        )


def _jam(task: Task) -> Jam:
    assert task.wait is not None
    assert task.wait.jam is not None
    return task.wait.jam


def _evidence(pid: int, group: list[Task]) -> Iterable[str]:
    for task in group:
        jam, wait = _jam(task), task.wait
        assert wait is not None
        does = "writes to its stdin" if jam.does == "drain" else "waits for it to end"
        unsent = f", {jams.size(jam.unsent)} unsent" if jam.unsent else ""
        since = lasting(wait.since, exact=wait.exact)
        yield f"{who(task)} {does} at {where(task)}, {since}{unsent}"
    jam = _jam(group[0])
    pipes = listed(list(jam.paused))
    yield (
        f"{jams.size(jam.buffered)} of the {pipes} of child process {pid} lie unread, so the "
        "pipe is not read any more"
    )
    if jam.stands:
        writes = ": it can't write" if "pipe_write" in jam.stands else ""
        yield f"child process {pid} stands in the kernel's {jam.stands}{writes}"


def _doubt(pid: int, jam: Jam) -> str:
    seen = "no task that refers to the pipe was seen to read it, but a callback may"
    if "pipe_write" in jam.stands:
        return f"not proven: {seen}"
    return f"not proven: {seen}; nor is it known whether child process {pid} wants to write"


RULE = _SubprocessPipe()
