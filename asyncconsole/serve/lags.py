"""How late the program's loops are, as the probe knows it, or finds out by asking them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncconsole.capture.loops import LoopBook, LoopFact
    from asyncconsole.model import Loop
    from asyncconsole.stall import Probe

PATIENCE = 0.2
"""Seconds that a loop gets to answer."""


async def measured(loops: Iterable[Loop], book: LoopBook, probe: Probe) -> tuple[Loop, ...]:
    """Loops with their lags."""
    found = []
    for loop in loops:
        facts = {fact.number: fact for fact in book.find()}
        found.append(await _measured(loop, facts.get(loop.id), probe))
    return tuple(found)


async def _measured(loop: Loop, fact: LoopFact | None, probe: Probe) -> Loop:
    """A loop with what the probe knows of it.

    An idle loop is not woken to measure its lag: that would cure, and so hide, a
    missing ``call_soon_threadsafe``.
    """
    blocked = probe.blocked(loop.id)
    lag: float | None = None
    if fact is not None and fact.running:
        if fact.idle:
            lag = 0.0
        elif blocked is not None:
            lag = blocked
        else:
            lag = await probe.ask(loop.id, PATIENCE)
    known = probe.lags(loop.id)
    return dataclasses.replace(
        loop,
        lag=lag if lag is not None else known.last,
        lag_p50=known.p50,
        lag_p99=known.p99,
        blocked=blocked,
    )
