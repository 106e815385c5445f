"""`join()` on a queue whose items nobody is left to finish."""

from __future__ import annotations

from asyncconsole.diagnose.island import IslandRule, View


class _QueueJoinDeadConsumer(IslandRule):
    kind = "queue_join_dead_consumer"
    waits = frozenset({"queue_join"})
    ends = "finish its items"
    fix = (
        "call `task_done()` in a `finally`, let the consumer outlive an error in one item, "
        "and wait for consumers and `join()` together (TaskGroup, or `asyncio.wait` for the "
        "first to end)"
    )

    def claims(self, view: View) -> bool:
        return True


RULE = _QueueJoinDeadConsumer()
