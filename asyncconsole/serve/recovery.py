"""Acting on the living program: who is meant, what is done on its loop, what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from asyncconsole.act import recover as resorts
from asyncconsole.act.cancel import SETTLED, Request, ask, ending, fate, place, watch
from asyncconsole.act.errand import Errand
from asyncconsole.capture import futures
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.objects import attribute
from asyncconsole.capture.roll import Roll
from asyncconsole.commands.deeds import CancelOutcome, Deed, DeedOutcome, Release, Throw
from asyncconsole.diagnose import phrases
from asyncconsole.model import Stall
from asyncconsole.model.errors import UnknownItemError, UsageError
from asyncconsole.serve.look import SETTLE

Fates = Mapping[int, str]


class Hands(NamedTuple):
    """What is needed to act on the program.

    Attributes:
        roll: Its loops and tasks.
        stalls: Tells recorded stalls.
    """

    roll: Roll
    stalls: Callable[[], Sequence[Stall]]

    def task(self, number: int) -> Any:
        """The live task with that id.

        Raises:
            UnknownItemError: It has ended and gone.
        """
        found = self.roll.find(number)
        if found is None:
            msg = f"Task {number} has ended."
            raise UnknownItemError(msg)
        return found

    def why_blocked(self, loop: Any) -> str:
        """What keeps a loop from running its callbacks."""
        number = self.roll.loops.note(loop)
        for stall in self.stalls():
            if stall.ongoing and stall.loop == number:
                frame = stall.frame
                where = phrases.place(frame.file, frame.line, frame.function) if frame else "C code"
                call = f" ({stall.call})" if stall.call else ""
                return (
                    f"its loop has been blocked for {stall.duration:.1f} s in {where}{call}, "
                    "so nothing can happen before that returns"
                )
        facts = {fact.number: fact for fact in self.roll.loops.find()}
        if number in facts and not facts[number].running:
            return "its loop is not running"
        return "its loop has not run a callback since"


async def cancel(
    hands: Hands,
    tasks: Sequence[int],
    wait: float,
    witnesses: Sequence[int],
    noted: Callable[[Any], None] | None,
) -> tuple[Sequence[CancelOutcome], Fates]:
    """See `asyncconsole.commands.port.Target.cancel`.

    Args:
        hands: The program.
        tasks: Ids of the tasks.
        wait: Seconds.
        witnesses: Ids of more tasks.
        noted: Is told of each task before it is asked.
    """
    seen = {number: hands.roll.find(number) for number in witnesses}
    requests = []
    for task in map(hands.task, tasks):
        requests.append(Request(task, *hands.roll.number(task)))
        if noted is not None:
            noted(task)
    ask(requests)
    await watch(requests, wait)
    await asyncio.sleep(SETTLE)
    outcomes = [
        CancelOutcome(
            request.number,
            request.name,
            request.outcome,
            request.after,
            hands.why_blocked(futures.loop(request.task))
            if request.outcome == "blocked"
            else request.detail,
        )
        for request in requests
    ]
    return outcomes, {number: fate(task) for number, task in seen.items()}


class _Prepared(NamedTuple):
    """A deed with everything that it needs.

    Attributes:
        loop: Where it is to be done.
        resort: Does it.
        task: Whom it is done to; None for a lock.
        before: What that task is suspended on.
    """

    loop: Any
    resort: resorts.Throwing | resorts.Resolving | resorts.Releasing
    task: Any = None
    before: Any = None


def prepare(hands: Hands, things: Numbers, deed: Deed) -> _Prepared:
    """Find whom a deed means and what it takes, and change nothing.

    Args:
        hands: The program.
        things: Numbers of its primitives.
        deed: What to do.

    Raises:
        UnknownItemError: The task or lock is not there any more.
        UsageError: It can't be done to that.
    """
    if isinstance(deed, Release):
        return _release(hands, things, deed)
    task = hands.task(deed.task)
    before = futures.waiter(task)
    if before is not None and hands.roll.futures.known(before) != deed.token:
        before = None  # it waits for something else by now
    resort: resorts.Throwing | resorts.Resolving
    if isinstance(deed, Throw):
        cls = resorts.exception_class(deed.exception)
        resort = resorts.Throwing(task, before, cls, deed.message)
    else:
        resort = resorts.Resolving(task, before, deed.value)
    return _Prepared(futures.loop(task), resort, task, before)


def _release(hands: Hands, things: Numbers, deed: Release) -> _Prepared:
    number = deed.resource[1:]
    thing = things.numbered(int(number)) if number.isdecimal() else None
    if thing is None or deed.resource[:1] != "L":
        msg = f"{deed.resource} is not there any more, or has no lasting id."
        raise UnknownItemError(msg)
    if not resorts.releasable(thing):
        msg = f"release: {deed.resource} is no Lock, Semaphore or Condition of asyncio."
        raise UsageError(msg)
    loop = attribute(thing, "_loop") or attribute(attribute(thing, "_lock"), "_loop")
    if loop is None and deed.loop is not None:
        loop = hands.roll.loops.loop(deed.loop)
    if loop is None:
        msg = f"release: can't tell which event loop {deed.resource} belongs to."
        raise UsageError(msg)
    return _Prepared(loop, resorts.Releasing(thing))


async def recover(
    hands: Hands, things: Numbers, deed: Deed, wait: float, witnesses: Sequence[int]
) -> tuple[DeedOutcome, Fates]:
    """See `asyncconsole.commands.port.Target.recover`; arguments as of `prepare`.

    Args:
        hands: The program.
        things: Numbers of its primitives.
        deed: What to do.
        wait: Seconds.
        witnesses: Ids of more tasks.
    """
    seen = {number: hands.roll.find(number) for number in witnesses}
    outcome = await _do(hands, prepare(hands, things, deed), wait)
    await asyncio.sleep(SETTLE)
    return outcome, {number: fate(task) for number, task in seen.items()}


async def _do(hands: Hands, deed: _Prepared, wait: float) -> DeedOutcome:
    task = deed.task
    if task is not None and futures.done(task):
        return DeedOutcome("done", 0.0)
    if task is not None and deed.before is None:
        return DeedOutcome("refused", 0.0, resorts.MOVED)
    began = time.monotonic()
    errand = Errand(deed.loop, deed.resort.do)
    left = resorts.went_on(task, deed.before)

    def settled() -> bool:
        """It has ended, or stayed where it went on to for a moment."""
        if task is None or futures.done(task):
            return True
        return errand.done is not None and time.monotonic() - errand.done > SETTLED and left()

    over = await errand.watch(wait, settled)
    after = time.monotonic() - began
    if errand.done is None and errand.take_back():
        return DeedOutcome("blocked", after, hands.why_blocked(deed.loop))
    if errand.refused:
        return DeedOutcome("refused", after, errand.refused)
    if task is None:
        return DeedOutcome("released", after)
    state = futures.state(task)  # read once: it may change between two looks
    if state == "CANCELLED":
        return DeedOutcome("cancelled", after)
    if state != "PENDING":
        thrown = deed.resort.error if isinstance(deed.resort, resorts.Throwing) else None
        same = thrown is not None and getattr(task, "_exception", None) is thrown
        return DeedOutcome("raised" if same else "finished", after, ending(task))
    return DeedOutcome("goes_on" if over else "pending", after, place(task))
