"""Every connection of a pool is held by tasks that wait for one more."""

from __future__ import annotations

from asyncconsole.diagnose.groups import Knot
from asyncconsole.diagnose.phrases import listed, what
from asyncconsole.diagnose.rule import Case, KnotRule
from asyncconsole.model import Resource


class _PoolExhaustion(KnotRule):
    kind = "pool_exhaustion"
    rank = 40  # whatever else is in the circle, the pool explains it best
    fix = (
        "don't take a second connection of a pool while you have one, directly or through a "
        "task that is awaited: hand the first one on, give it back before, or set a timeout "
        "for taking one"
    )

    def claims(self, case: Case, knot: Knot) -> bool:
        return _pool(case, knot) is not None

    def summary(self, case: Case, knot: Knot) -> str:
        item = _pool(case, knot)
        assert item is not None
        names = listed(list(dict.fromkeys(holder.name for holder in item.holders)))
        return f"all connections of {what(item)} are held by {names}, which wait behind it"


def _pool(case: Case, knot: Knot) -> Resource | None:
    """The first pool of the circle."""
    items = (case.graph.resources[number] for number in knot.resources)
    return next((item for item in items if item.unknown is not None), None)


RULE = _PoolExhaustion()
