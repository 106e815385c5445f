"""Who had the GIL while nobody else in the process could run.

One long call in C. `clocks.judge` has already told it from a loop with many short turns,
which gives the GIL back and takes it again before anybody else wakes up.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from asyncconsole.capture.loops import LoopFact
from asyncconsole.capture.turn import turn_began
from asyncconsole.model import Stall
from asyncconsole.model.instant import stamp
from asyncconsole.stall import clocks
from asyncconsole.stall.clocks import CLOCKED, SLACK, Gap, Vitals
from asyncconsole.stall.record import collected, of_collector
from asyncconsole.stall.sample import Sample, take

HOT = 0.5
"""Share of the CPU time that was used from which a thread counts as the one that ran."""

WARM = 0.05
"""Share of the gap it must have had a CPU at least. Not more: the machine may be busy. A
thread that asks for the GIL the whole time uses a tenth of that."""


class Holder(NamedTuple):
    """Who had the GIL.

    Attributes:
        thread: Ident of the thread that used the CPU; None when none did.
        loops: The loop that had it, with the time its turn began if known; usually one.
        starved: Loops that could not run because somebody else had it, or nobody knows
            who.
        sample: What a thread without a loop does that had it; None for others.
    """

    thread: int | None
    loops: list[tuple[LoopFact, float | None]]
    starved: list[LoopFact]
    sample: Sample | None = None


def holder(
    running: list[LoopFact], older: Vitals | None, before: Vitals, now: Vitals, gap: Gap
) -> Holder:
    """Who had the GIL; looks before anything gives it back.

    Args:
        running: Loops that run.
        older: The clocks one beat before ``before``.
        before: The clocks before the gap.
        now: The clocks after it.
        gap: How late the side thread was.
    """
    turns: list[tuple[LoopFact, float | None]] = []
    for fact in running:
        if fact.idle:
            continue
        began = turn_began(fact.reference(), fact.thread)
        if began is None:
            # No proof that it was one turn: believe it of a loop that was not busy before.
            one_turn = _rested(fact.thread, older, before)
        else:
            one_turn = began <= now.time - gap.late + SLACK
        if one_turn:
            turns.append((fact, began))
    thread = _hottest(before, now, gap)
    if thread is None:
        # A call in C that sleeps with the GIL, or a machine so busy that nobody stands out.
        if len(turns) == 1:
            return Holder(None, turns, [])
        return Holder(None, [], [fact for fact, _ in turns] or [f for f in running if f.idle])
    if all(fact.thread != thread for fact in running):
        if any(fact.thread is None for fact in running):
            return Holder(None, [], [])  # it may be the thread of that loop, which took turns
        return Holder(thread, [], running, take(thread))
    mine = [pair for pair in turns if pair[0].thread == thread]
    # A loop without Python frames may wait for events again before anybody else has the GIL.
    back = [
        fact
        for fact in running
        if fact.thread == thread and fact.idle and fact.ready is None
        if _rested(thread, older, before)
    ]
    return Holder(thread, mine, []) if mine or not back else Holder(None, [], back)


def _rested(thread: int | None, older: Vitals | None, before: Vitals) -> bool:
    """True when a thread used little CPU in the beat before the gap."""
    if thread is None or older is None:
        return False
    if thread not in older.threads or thread not in before.threads:
        return False
    spent = before.threads[thread] - older.threads[thread]
    return spent < HOT * (before.time - older.time)


def _hottest(before: Vitals, now: Vitals, gap: Gap) -> int | None:
    """The thread that used most of the CPU time in the gap."""
    started = 0.0 if len(before.threads) < CLOCKED else math.inf
    # Not one of ours, which imports or renders: that gives the GIL back when asked to.
    spent = {
        thread: cpu - before.threads.get(thread, started)
        for thread, cpu in now.threads.items()
        if not clocks.ours(thread)
    }
    thread = max(spent, key=spent.__getitem__, default=None)
    if thread is None or spent[thread] < max(gap.late * WARM, gap.cpu * HOT):
        return None
    return thread


def starved(number: int, loop: int, sample: Sample | None, gap: Gap) -> Stall:
    """The record of a gap in which a thread without a loop had the GIL."""
    now, began = time.monotonic(), stamp(time.time() - gap.late)
    if collected(now - gap.late, now, *(() if sample is None else (sample.stack,))):
        return of_collector(number, loop, began, gap.late)
    return Stall(
        id=number,
        loop=loop,
        started_at=began,
        duration=gap.late,
        ongoing=False,
        kind="gil_holding_c_call",
        task=None,
        task_name="",
        frame=None if sample is None else sample.frame,
        call="" if sample is None else sample.call,
        stack=() if sample is None else sample.stack,
        samples=0 if sample is None else 1,
        cpu=min(1.0, gap.cpu / gap.late),
        stacks=() if sample is None else ((sample.stack, 1),),
    )
