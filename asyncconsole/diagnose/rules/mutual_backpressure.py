"""Both ends of a connection write, and neither reads."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose import jams
from asyncconsole.diagnose.phrases import lasting, where, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Task, TaskRole
from asyncconsole.model.jam import Jam


class _MutualBackpressure:
    kind = "mutual_backpressure"
    rank = 65
    fix = (
        "read and write at the same time: give each direction of a connection a task of its own "
        "(`asyncio.TaskGroup`), or read the answers before sending more; and put drain() under "
        "`asyncio.timeout()`"
    )

    def check(self, case: Case) -> Iterable[Finding]:
        left = [task for task in jams.held_up(case) if _writes(_jam(task))]
        found = []
        while left:
            one = left.pop(0)
            other = next((task for task in left if _opposite(_jam(one), _jam(task))), None)
            if other is None:
                continue
            left.remove(other)
            pair = [one, other]
            readers = jams.others(case, pair)
            if not readers:
                found.append(self._finding(case, pair, known=readers is not None))
        return found

    def _finding(self, case: Case, pair: list[Task], *, known: bool) -> Finding:
        roles = [TaskRole(task.id, task.name, "stuck") for task in pair]
        roles += [TaskRole(task.id, task.name, "victim") for task in jams.victims(case, pair)]
        places = " and ".join(f"{task.name} at {where(task)}" for task in pair)
        return Finding(
            id="",
            verdict="suspect",
            proven=False,
            kind=self.kind,
            summary=f"both ends of a connection are in this process, both write and neither "
            f"reads: {places}",
            tasks=tuple(roles),
            cycle=tuple(task.name for task in pair),
            evidence=tuple(_evidence(task) for task in pair),
            fix=self.fix,
            now=f"cancel {max(task.id for task in pair)}",
            assumes="not proven: no task that refers to these streams was seen to read them, but "
            "a callback may"
            if known
            else jams.UNKNOWN,
        )


def _jam(task: Task) -> Jam:
    assert task.wait is not None
    assert task.wait.jam is not None
    return task.wait.jam


def _writes(jam: Jam) -> bool:
    """True when it writes to a connection that it does not read from."""
    return jam.pid is None and (jam.does == "send" or (jam.does == "drain" and bool(jam.paused)))


def _opposite(one: Jam, other: Jam) -> bool:
    """True for the two ends of one connection."""
    if (one.local or one.peer) and (one.local, one.peer) == (other.peer, other.local):
        return not (one.local == one.peer == "") and bool(
            (one.local and one.peer) or (one.same and other.same)
        )
    return one.same and other.same and not (one.local or one.peer or other.local or other.peer)


def _evidence(task: Task) -> str:
    jam, wait = _jam(task), task.wait
    assert wait is not None
    where_to = f"from {jam.local or 'here'} to {jam.peer}" if jam.peer else "into a Unix socket"
    unsent = f", {jams.size(jam.unsent)} unsent" if jam.unsent else ""
    reads = (
        f"; {jams.size(jam.buffered)} lie unread at its own end, which is paused"
        if jam.paused
        else ""
    )
    since = lasting(wait.since, exact=wait.exact)
    return f"{who(task)} sends {where_to} at {where(task)}, {since}{unsent}{reads}"


RULE = _MutualBackpressure()
