"""A lock that is locked, that no task has, and that nobody is left to release."""

from __future__ import annotations

from asyncconsole.diagnose.taken import TakenRule


class _AbandonedLock(TakenRule):
    kind = "abandoned_lock"
    rank = 56
    waits = frozenset({"lock"})


RULE = _AbandonedLock()
