"""A computation on the thread of a loop."""

from __future__ import annotations

from asyncconsole.diagnose.phrases import spot
from asyncconsole.diagnose.stalled import StallRule, culprit
from asyncconsole.model import Stall


class _CpuBound(StallRule):
    kind = "cpu_bound"

    def doing(self, stall: Stall) -> str:
        at = f" at {spot(stall.frame)}" if stall.frame is not None else ""
        return f"{culprit(stall)}, which computes{at} and does not await meanwhile"

    def fix(self, stall: Stall) -> str:
        return (
            "compute in another process (`loop.run_in_executor` with a ProcessPoolExecutor), "
            "or in pieces with an `await asyncio.sleep(0)` after each"
        )


RULE = _CpuBound()
