"""A future that nobody is left to resolve."""

from __future__ import annotations

from asyncconsole.diagnose.island import IslandRule, View


class _NeverResolvedFuture(IslandRule):
    kind = "never_resolved_future"
    rank = 65
    waits = frozenset({"future", "gather", "wait", "wait_for", "shield", "as_completed"})
    ends = "resolve it"
    fix = (
        "when the task that resolves futures ends, fail all that are left (`set_exception` in a"
        " "
        "`finally`), and await each under `asyncio.timeout()`"
    )

    def claims(self, view: View) -> bool:
        wait = view.members[0].wait
        name = wait.name if wait is not None else ""
        if name.startswith("unnamed"):
            return bool(view.causes)
        # Kept where others find it, or a variable on which somebody sets a result.
        kept = "." in name.partition(" in ")[0] or "[" in name
        return bool(view.causes or (view.uses and kept) or view.named_uses)


RULE = _NeverResolvedFuture()
