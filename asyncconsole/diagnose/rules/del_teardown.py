"""A finalizer that blocks: ``__del__`` runs wherever the last reference happens to go."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from asyncconsole.diagnose.bridge import BridgeRule, blocker, first_wait, needed, where
from asyncconsole.diagnose.phrases import spot
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.stalled import StallRule, victims
from asyncconsole.diagnose.threads import Bridge
from asyncconsole.model import Finding, Frame, Stall, TaskRole
from asyncconsole.model.stall import turn

NAME = "__del__"

FIX = (
    "let finalizers do nothing that waits: close explicitly with `async with` or "
    "`await ...close()`, and only warn in `__del__` when that was forgotten"
)


class _Circle(BridgeRule):
    """The finalizer waits for a thread that waits for the loop it blocks."""

    kind = "del_teardown"
    fix = FIX

    def claims(self, one: Bridge) -> bool:
        return bool(one.loops) and _in_thread(one) is not None

    def summary(self, case: Case, one: Bridge) -> str:
        found = _in_thread(one)
        assert found is not None
        name, trigger = found
        at = where(first_wait(one))
        what = needed(one, one.circle[0], one.circle[1 % len(one.circle)])
        text = f"{name.function} blocks the loop{at}, waiting for {what}, which waits for that loop"
        return f"{text}; {_triggered(blocker(one), trigger)}"


class _DelTeardown(StallRule):
    kind = "del_teardown"
    rank = 5  # before those that would blame the task in which it was triggered

    def check(self, case: Case) -> Iterable[Finding]:
        circles = [_innocent(finding) for finding in _Circle().check(case)]
        known = {number for finding in circles for number in finding.stall_ids}
        left = tuple(stall for stall in case.stalls if stall.id not in known)
        return [*circles, *super().check(dataclasses.replace(case, stalls=left))]

    def claims(self, case: Case, stall: Stall) -> bool:
        return _finalizer(stall.stack) is not None

    def doing(self, stall: Stall) -> str:
        found = _finalizer(stall.stack)
        assert found is not None
        name, trigger = found
        call = f", in {stall.call}" if stall.call else ""
        at = f" at {spot(stall.frame)}" if stall.frame is not None else ""
        who = f"{stall.task_name} ({stall.task})" if stall.task is not None else "a callback"
        return f"{name.function}{call}{at}; {_triggered(who, trigger)}"

    def fix(self, stall: Stall) -> str:
        return FIX

    def roles(self, case: Case, stall: Stall) -> Iterable[TaskRole]:
        if stall.task is not None and stall.ongoing:
            yield TaskRole(stall.task, stall.task_name, "victim")
        yield from victims(case, stall)

    def same(self, stall: Stall) -> object:
        found = _finalizer(stall.stack)
        return stall.loop, found and found[0]


def _innocent(finding: Finding) -> Finding:
    """The task that happened to run is a victim of its finalizer."""
    roles = tuple(
        dataclasses.replace(role, role="victim") if role.role == "culprit" else role
        for role in finding.tasks
    )
    return dataclasses.replace(finding, tasks=roles)


def _triggered(who: str, trigger: Frame | None) -> str:
    at = f" at {spot(trigger)}" if trigger is not None else ""
    return f"it was triggered in {who}{at}, which is innocent"


def _in_thread(one: Bridge) -> tuple[Frame, Frame | None] | None:
    thread = one.bridges.threads.get(one.circle[0].number)
    return None if thread is None else _finalizer(thread.frames)


def _finalizer(stack: tuple[Frame, ...]) -> tuple[Frame, Frame | None] | None:
    """The finalizer in a loop's turn, and the frame in which it was triggered."""
    before: Frame | None = None
    for frame in turn(stack):
        if frame.function.rpartition(".")[2] == NAME:
            return frame, before
        if frame.own or before is None:
            before = frame
    return None


RULE = _DelTeardown()
