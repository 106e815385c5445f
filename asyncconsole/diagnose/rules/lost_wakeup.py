"""A condition that nobody is left to notify: the notification came before the wait."""

from __future__ import annotations

from asyncconsole.diagnose.island import IslandRule


class _LostWakeup(IslandRule):
    kind = "lost_wakeup"
    waits = frozenset({"condition"})
    ends = "notify it"
    fix = (
        "check the predicate under the lock before you wait (`await "
        "condition.wait_for(predicate)`), change it under the lock, and notify after each "
        "change"
    )


RULE = _LostWakeup()
