"""A finalizer that blocks: ``__del__`` runs wherever the last reference happens to go."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.phrases import spot
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.stalled import StallRule, turn, victims
from asyncconsole.model import Frame, Stall, TaskRole

NAME = "__del__"


class _DelTeardown(StallRule):
    kind = "del_teardown"
    rank = 5  # before those that would blame the task in which it was triggered

    def claims(self, case: Case, stall: Stall) -> bool:
        return _finalizer(stall) is not None

    def doing(self, stall: Stall) -> str:
        found = _finalizer(stall)
        assert found is not None
        name, trigger = found
        call = f", in {stall.call}" if stall.call else ""
        at = f" at {spot(stall.frame)}" if stall.frame is not None else ""
        where = f" at {spot(trigger)}" if trigger is not None else ""
        who = f"{stall.task_name} ({stall.task})" if stall.task is not None else "a callback"
        return f"{name.function}{call}{at}; it was triggered in {who}{where}, which is innocent"

    def fix(self, stall: Stall) -> str:
        return (
            "let finalizers do nothing that waits: close explicitly with `async with` or "
            "`await ...close()`, and only warn in `__del__` when that was forgotten"
        )

    def roles(self, case: Case, stall: Stall) -> Iterable[TaskRole]:
        if stall.task is not None and stall.ongoing:
            yield TaskRole(stall.task, stall.task_name, "victim")
        yield from victims(case, stall)

    def same(self, stall: Stall) -> object:
        found = _finalizer(stall)
        return stall.loop, found and found[0]


def _finalizer(stall: Stall) -> tuple[Frame, Frame | None] | None:
    """The finalizer in a loop's turn, and the frame in which it was triggered."""
    before: Frame | None = None
    for frame in turn(stall):
        if frame.function.rpartition(".")[2] == NAME:
            return frame, before
        if frame.own or before is None:
            before = frame
    return None


RULE = _DelTeardown()
