"""A call in C that keeps the GIL: meanwhile no thread of the process runs Python."""

from __future__ import annotations

from asyncconsole.diagnose.phrases import spot
from asyncconsole.diagnose.stalled import StallRule, culprit
from asyncconsole.model import Stall
from asyncconsole.model.stall import COLLECTION


class _GilHoldingCCall(StallRule):
    kind = "gil_holding_c_call"

    def doing(self, stall: Stall) -> str:
        if stall.call == COLLECTION:
            return f"a {COLLECTION}, which holds the GIL: no thread ran Python meanwhile"
        call = stall.call or "a call in C"
        at = f" at {spot(stall.frame)}" if stall.frame is not None else ""
        by = culprit(stall) if stall.task is not None or stall.stack else "some thread"
        return f"{by} in {call}{at}, which holds the GIL: no thread ran Python meanwhile"

    def fix(self, stall: Stall) -> str:
        if stall.call == COLLECTION:
            return (
                "keep fewer objects that the collector has to go through: gc.freeze() once what "
                "stays for good is there, gc.set_threshold() for fewer full collections"
            )
        if stall.call.startswith(("re.", "regex.")) or _searches(stall.call):
            return (
                "bound the input and rewrite the pattern so that it can't backtrack without end, "
                "or match in another process, which can be ended"
            )
        return (
            "call it in another process (ProcessPoolExecutor): a thread would not help, as it "
            "keeps the GIL; or give it smaller pieces"
        )


def _searches(call: str) -> bool:
    return call.rpartition(".")[2] in {"search", "match", "fullmatch", "sub", "findall", "finditer"}


RULE = _GilHoldingCCall()
