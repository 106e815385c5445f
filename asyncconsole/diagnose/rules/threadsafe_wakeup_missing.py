"""Something was completed by another thread, and the loop that waits for it was not woken."""

from __future__ import annotations

from asyncconsole.diagnose.asleep import AsleepRule
from asyncconsole.diagnose.phrases import listed
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.rules.cross_loop import crosses
from asyncconsole.model import Loop


class _ThreadsafeWakeupMissing(AsleepRule):
    kind = "threadsafe_wakeup_missing"
    fix = (
        "from another thread: `loop.call_soon_threadsafe(future.set_result, value)`, or "
        "`asyncio.run_coroutine_threadsafe(coroutine, loop)`; asyncio's objects are not "
        "thread-safe"
    )

    def claims(self, case: Case, loop: Loop) -> bool:
        return not crosses(case, loop)

    def who_did(self, case: Case, loop: Loop) -> str:
        idents = {ident for one in loop.stranded for ident in one.threads}
        names = [thread.name for thread in case.snapshot.threads if thread.ident in idents]
        if names:
            return f"by another thread (likely {listed(names)})"
        return "by another thread"


RULE = _ThreadsafeWakeupMissing()
