"""A loop's thread that waits for another thread, which waits for this loop."""

from __future__ import annotations

from asyncconsole.diagnose.bridge import BridgeRule, blocker, first_wait, needed, where
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.threads import Bridge


class _NestedRun(BridgeRule):
    kind = "nested_run"
    rank = 63
    fix = (
        "don't wait for a thread on the loop's own thread: `await asyncio.to_thread(...)`; and "
        "`await` a coroutine instead of running it in a second loop"
    )

    def claims(self, one: Bridge) -> bool:
        blocked = first_wait(one)
        if not one.loops or blocked is None or len(one.threads) + self._inner(one) < 2:  # noqa: PLR2004 - the other one
            return False
        return blocked.kind not in {"result", "wait", "lock"} or bool(self._inner(one))

    def _inner(self, one: Bridge) -> int:
        """How many threads on the circle run a loop of their own to its end."""
        pairs = zip(one.circle, one.circle[1:], strict=False)
        return sum(a.kind == "end" and b.kind == "task" for a, b in pairs)

    def summary(self, case: Case, one: Bridge) -> str:
        start, following = one.circle[0], one.circle[1]
        text = f"{blocker(one)} blocks its loop{where(first_wait(one))}, waiting for "
        text += needed(one, start, following)
        if self._inner(one):
            return f"{text}, whose own loop waits for a coroutine of the loop that it blocks"
        return f"{text}, which waits for that loop"


RULE = _NestedRun()
