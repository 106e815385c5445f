"""All permits of a semaphore are taken, by tasks that have ended."""

from __future__ import annotations

from asyncconsole.diagnose.taken import TakenRule


class _PermitLeak(TakenRule):
    kind = "permit_leak"
    rank = 56
    waits = frozenset({"semaphore", "limiter"})
    what = "a permit"


RULE = _PermitLeak()
