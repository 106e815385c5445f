"""Cancelling tasks from outside their loop, and seeing what comes of it.

Runs on the side thread; what must happen on the program's loop is handed over with
``call_soon_threadsafe``. Nothing here waits without bound.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncconsole.act.cycle import entries, in_await_cycle, innermost, unwind
from asyncconsole.capture import futures
from asyncconsole.capture.chain import walk
from asyncconsole.capture.code import is_own
from asyncconsole.capture.names import base

POLL = 0.005
"""Seconds between looks at tasks that were asked to cancel."""

SETTLED = 0.05
"""Seconds a task that took the request must stay put before it counts as going on."""


@dataclass(slots=True)
class Request:
    """One task that is asked to cancel, and what was seen of it.

    Attributes:
        task: The live task.
        number: Its id.
        name: Its name.
        outcome: See `asyncconsole.commands.port.CancelOutcome.outcome`.
        after: Seconds from request to outcome.
        detail: Where, or why.
    """

    task: Any
    number: int
    name: str
    outcome: str = ""
    after: float = 0.0
    detail: str = ""
    place: str = ""
    before: Any = None
    delivered: float | None = None
    failed: str = ""
    shields: list[str] = field(default_factory=list)


def ask(requests: Sequence[Request]) -> None:
    """Hand each request to its task's loop; returns at once."""
    for request in requests:
        loop = futures.loop(request.task)
        request.before = futures.waiter(request.task)
        request.place = place(request.task)
        if futures.done(request.task):
            request.outcome = "done"
            continue
        try:
            loop.call_soon_threadsafe(_deliver, request)
        except RuntimeError as closed:  # the loop was closed: nobody will ever run it
            request.outcome = "pending"
            request.detail = f"{closed}".rstrip(".").lower() or "its loop is closed"


def _deliver(request: Request) -> None:
    """On the task's own loop: cancel it."""
    try:
        if in_await_cycle(request.task):
            # cancel() would recurse around the cycle until RecursionError.
            inside = entries(request.task)
            unwound = [unwind(task) for task in inside]
            if not all(unwound):
                request.failed = "it is part of an await cycle that can't be unwound here"
            elif inside[-1] is not request.task:
                inside[-1].add_done_callback(lambda _: _cancel(request.task))
        else:
            _cancel(request.task)
    except (Exception, RecursionError) as broken:
        request.failed = f"cancel() raised {type(broken).__name__}: {broken}"[:200]
    request.delivered = time.monotonic()


def _cancel(task: Any) -> None:
    """``task.cancel()``, also where the chain of tasks it awaits is thousands long.

    ``Task.cancel`` passes the request on from task to task by recursion; what it ends in
    is the innermost task's cancellation, which can be had directly.
    """
    try:
        task.cancel()
    except RecursionError:
        innermost(task).cancel()


async def watch(requests: Sequence[Request], seconds: float) -> None:
    """Wait until every request has an outcome, or ``seconds`` have passed."""
    began = time.monotonic()
    while True:
        now = time.monotonic()
        for request in requests:
            if not request.outcome:
                _judge(request, began, now)
        if all(request.outcome for request in requests):
            return
        if now - began >= seconds:
            break
        await asyncio.sleep(POLL)
    for request in requests:
        if not request.outcome:
            request.outcome = "pending" if request.delivered is not None else "blocked"
            request.after = time.monotonic() - began
            if request.delivered is not None:
                request.detail = request.failed or f"it is at {place(request.task)}"


def fate(task: Any) -> str:
    """What has become of a task: ``cancelled``, ``finished`` or ``alive``."""
    state = futures.state(task) if task is not None else "FINISHED"
    return {"FINISHED": "finished", "CANCELLED": "cancelled"}.get(state, "alive")


def _judge(request: Request, began: float, now: float) -> None:
    """Give a request its outcome when there is one."""
    task = request.task
    request.after = now - began
    state = futures.state(task)  # read once: it may change between two looks
    if state == "CANCELLED":
        request.outcome = "cancelled"
        request.detail = f"CancelledError left at {request.place}" if request.place else ""
    elif state != "PENDING":
        request.outcome = "finished"
        request.detail = ending(task)
    elif request.failed:
        request.outcome = "pending"
        request.detail = request.failed
    elif request.delivered is not None and now - request.delivered > SETTLED:
        waiter = futures.waiter(task)
        moved = waiter is not request.before and waiter is not None and not futures.done(waiter)
        if moved and not _must_cancel(task):
            request.outcome = "swallowed"
            request.detail = f"CancelledError was caught; now at {place(task)}"


def _must_cancel(task: Any) -> bool:
    """True while the request has not been thrown into the coroutine yet."""
    found = getattr(task, "_must_cancel", False)
    return found is True


def ending(task: Any) -> str:
    """How a task ended that was not cancelled. Doesn't mark its exception as retrieved."""
    exception = getattr(task, "_exception", None)
    if exception is not None:
        return f"it raised {type(exception).__name__}"
    return "it returned"


def place(task: Any) -> str:
    """``bank.py:22`` of the innermost own frame; "" when it can't be told."""
    levels = walk(futures.coroutine(task)).levels
    for level in reversed(levels):
        if is_own(level.code.co_filename):
            return f"{base(level.code.co_filename)}:{level.line}"
    return f"{base(levels[-1].code.co_filename)}:{levels[-1].line}" if levels else ""
