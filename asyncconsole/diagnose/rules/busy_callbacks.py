"""A callback that schedules itself again in every turn: the loop spins and gets nothing done."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.phrases import lasting, place
from asyncconsole.diagnose.rule import Case
from asyncconsole.diagnose.stalled import loop_words
from asyncconsole.model import Finding
from asyncconsole.model.busy import Busy

LEAST = 10
"""Looks at a loop, at least."""

MOST_OF = 0.8
"""Share of them in which the callback was there."""

HARDLY = 0.25
"""Share of them in which a task ran, at most."""


_AGAIN = {
    False: "is scheduled anew in every turn",
    True: "runs in every turn, for its socket or pipe stays ready",
}

_FIX = {
    False: "let the callback schedule itself again only while there is something to do, and "
    "wait for what it waits for: an event, a future, a timer (`call_later`)",
    True: "let the callback take all there is to read, or call `remove_reader` at the end of the "
    "stream; a writer is for `add_writer` only while there is something to write",
}


class _BusyCallbacks:
    kind = "busy_callbacks"
    rank = 85

    def check(self, case: Case) -> Iterable[Finding]:
        blocked = {stall.loop for stall in case.snapshot.stalls if stall.ongoing}
        for busy in case.snapshot.busy:
            if busy.loop not in blocked and _spins(busy):
                yield self._finding(case, busy)

    def _finding(self, case: Case, busy: Busy) -> Finding:
        name = loop_words(case.snapshot, busy.loop)
        where = place(busy.file, busy.line, busy.function)
        return Finding(
            id="",
            verdict="suspect",
            proven=False,
            kind=self.kind,
            summary=f"{name[:1].upper()}{name[1:]} spins: the callback {busy.function} ({where}) "
            f"{_AGAIN[busy.watched]}, and hardly a task runs",
            evidence=tuple(_evidence(busy)),
            fix=_FIX[busy.watched],
            now="console   opens a REPL in that loop, where whatever the callback repeats for can "
            "be put right",
            assumes="not proven: it may be work in many small pieces, which comes to an end",
        )


def _spins(busy: Busy) -> bool:
    return (
        busy.looks >= LEAST
        and busy.found >= MOST_OF * busy.looks
        and busy.tasks <= HARDLY * busy.looks
        and busy.answer is not None
        and busy.turns != 1
    )


def _evidence(busy: Busy) -> Iterable[str]:
    span = lasting(busy.seconds, exact=True)
    yield (
        f"{busy.function} was running or ready in {busy.found} of {busy.looks} looks at the "
        f"loop within {span}, and again a moment later; a task was in {busy.tasks}"
    )
    if busy.turns is not None:
        yield f"at least {busy.turns} turns of the loop passed meanwhile, none of which waited"
    if not busy.queue:
        yield "this kind of loop does not show which callbacks are ready: that is not known"


RULE = _BusyCallbacks()
