"""A loop's thread that waits for a ``threading.Lock`` whose holder needs that loop to go on."""

from __future__ import annotations

from asyncconsole.diagnose.bridge import LOCKS, BridgeRule, blocker, first_wait, thread_name
from asyncconsole.diagnose.phrases import holds, listed, spot, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.threads import Bridge


class _ThreadLockOnLoop(BridgeRule):
    kind = "thread_lock_on_loop"
    rank = 61
    fix = (
        "guard what tasks share with an asyncio.Lock; never hold a threading.Lock across an "
        "`await`, nor while waiting for the loop"
    )

    def claims(self, one: Bridge) -> bool:
        blocked = first_wait(one)
        return bool(one.loops) and blocked is not None and blocked.kind in LOCKS

    def summary(self, case: Case, one: Bridge) -> str:
        blocked = first_wait(one)
        if blocked is None:
            return ""
        at = f" at {spot(blocked.frame)}" if blocked.frame is not None else ""
        thing = f"on {blocked.type} {blocked.name}" if blocked.name else f"in {blocked.call}"
        text = f"{blocker(one)} blocks the loop {thing}{at}"
        tasks = [
            one.bridges.tasks[n] for n in one.bridges.holders(blocked) if n in one.bridges.tasks
        ]
        if one.circle[1].kind != "task":
            holder = thread_name(one, one.circle[1].number)
            return f"{text}, held by {holder}, which waits for that loop"
        item = case.snapshot.resource(blocked.resource)
        if len(tasks) == 1 and item is not None:
            _, taken, place = holds(tasks[0], item).partition(", taken")
            return f"{text}, held by {who(tasks[0])}{taken}{place}, which can't continue"
        if not tasks:  # a semaphore's permits have no owner
            known = one.bridges.tasks
            givers = [who(known[by.number]) for by in blocked.sources if by.number in known]
            return f"{text}; those who may give it back ({listed(givers)}) can't continue"
        return f"{text}, held by {listed([who(task) for task in tasks])}, which can't continue"


RULE = _ThreadLockOnLoop()
