"""A loop's thread that waits for what only this loop can do: ``.result()`` on the loop."""

from __future__ import annotations

from asyncconsole.diagnose.bridge import (
    LOCKS,
    BridgeRule,
    alone,
    blocker,
    first_wait,
    kinds,
    needed,
    where,
)
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.threads import Bridge


class _ResultOnLoop(BridgeRule):
    kind = "threadsafe_result_on_loop"
    rank = 64
    fix = (
        "in code that runs on the loop, `await` the coroutine; `run_coroutine_threadsafe(...)"
        ".result()` is for other threads: call such blocking code with `asyncio.to_thread`"
    )

    def claims(self, one: Bridge) -> bool:
        blocked = first_wait(one)
        if not one.loops or blocked is None or "pool" in kinds(one):
            return False
        return blocked.kind in {"result", "wait"} or (alone(one) and blocked.kind not in LOCKS)

    def summary(self, case: Case, one: Bridge) -> str:
        blocked = first_wait(one)
        start, following = one.circle[0], one.circle[1]
        text = f"{blocker(one)} blocks its own loop{where(blocked)}: it waits for "
        text += needed(one, start, following)
        if alone(one):
            return f"{text}, and that can only happen on this loop, which stands still for it"
        return f"{text}, and that waits for this loop"


RULE = _ResultOnLoop()
