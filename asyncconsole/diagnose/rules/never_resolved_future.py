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
        # A future that nobody else was ever given is how people let a task rest.
        kept = view.case.graph.sources.kept
        return bool(view.causes or view.named_uses or any(t.id in kept for t in view.members))

    def doubts(self, view: View) -> tuple[str, ...]:
        if view.uses or view.causes:
            return view.island.doubts
        return (*view.island.doubts, "no code of the program resolves a future: it may be at rest")


RULE = _NeverResolvedFuture()
