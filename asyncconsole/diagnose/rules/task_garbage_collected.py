"""The task that would have ended a wait was garbage collected while it was pending."""

from __future__ import annotations

from asyncconsole.diagnose.island import IslandRule, View
from asyncconsole.diagnose.partners import ENDS
from asyncconsole.diagnose.phrases import fate
from asyncconsole.model.ended import Ended


class _TaskGarbageCollected(IslandRule):
    kind = "task_garbage_collected"
    rank = 50  # before the kinds that only say what is waited for
    waits = frozenset(ENDS) | {"gather", "wait", "wait_for", "shield"}
    ends = "end that wait"
    fix = (
        "keep a reference to each task until it has ended (in a set, with `add_done_callback("
        "tasks.discard)`), or start it in a TaskGroup: the loop itself keeps tasks only weakly"
    )

    def claims(self, view: View) -> bool:
        return bool(_destroyed(view))

    def causes(self, view: View) -> list[Ended]:
        return _destroyed(view)

    def summary(self, view: View) -> str:
        verb = "waits" if len(view.members) == 1 else "wait"
        cause = _destroyed(view)[0]
        return f"{view.names} {verb} for {view.thing}, but {cause.name} {fate(cause)}"


def _destroyed(view: View) -> list[Ended]:
    return [ended for ended in view.causes if ended.outcome == "destroyed"]


RULE = _TaskGarbageCollected()
