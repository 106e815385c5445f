"""A barrier at which a party is missing that can not come any more."""

from __future__ import annotations

from asyncconsole.diagnose.island import IslandRule


class _BarrierMissingParty(IslandRule):
    kind = "barrier_missing_party"
    waits = frozenset({"barrier"})
    ends = "come to it"
    fix = (
        "call `Barrier.abort()` where a party fails, or run the parties in a TaskGroup, and "
        "wait under `asyncio.timeout()`"
    )


RULE = _BarrierMissingParty()
