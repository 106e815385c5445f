"""An event that nobody is left to set."""

from __future__ import annotations

from asyncconsole.diagnose.island import IslandRule


class _EventNeverSet(IslandRule):
    kind = "event_never_set"
    waits = frozenset({"event"})
    ends = "set it"
    fix = (
        "set the event in a `finally` of whoever is to set it, start that task before anybody "
        "waits, and wait under `asyncio.timeout()`"
    )


RULE = _EventNeverSet()
