"""A thread pool all of whose threads wait for jobs that are queued behind them."""

from __future__ import annotations

from asyncconsole.diagnose.bridge import BridgeRule, blocker, kinds, needed, thread_name, where
from asyncconsole.diagnose.phrases import counted
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.threads import Bridge


class _ExecutorReentry(BridgeRule):
    kind = "executor_reentry"
    rank = 62
    fix = (
        "a job must not wait for another job of its own pool: call the function directly, give "
        "inner jobs a pool of their own, or combine them from outside with `await`"
    )

    def claims(self, one: Bridge) -> bool:
        return "pool" in kinds(one) or not one.loops

    def summary(self, case: Case, one: Bridge) -> str:
        bridges = one.bridges
        numbers = [node.number for node in one.circle if node.kind == "pool"]
        pool = next((pool for pool in case.snapshot.pools if pool.id in numbers), None)
        start, following = one.circle[0], one.circle[1]
        waits = f"{needed(one, start, following)},{where(bridges.blocked(start))}"
        if pool is None:
            return f"{thread_name(one, start.number)} waits for {waits}, and that for this thread"
        name, count = pool.name or pool.id, len(pool.threads)
        queued = counted(pool.queued, "job")
        if count == 1:
            text = f"The only thread of pool {name} waits for what is queued behind it ({queued})"
        else:
            text = (
                f"All {count} threads of pool {name} wait for what is queued behind them ({queued})"
            )
        if one.loops:
            return f"{text}; {blocker(one)} blocks the loop, waiting for {waits}"
        return f"{text}: {thread_name(one, start.number)} waits for {waits}"


RULE = _ExecutorReentry()
