"""A suspended task's wake-up, taken away from what it awaits.

A task is suspended by a callback (its wake-up) on the future that it awaits. Whoever calls
that callback with a future of their own decides what the task's ``await`` gives or raises,
and nothing happens to what it awaited. C tasks, Python tasks, asyncio and uvloop alike
(``task_wakeup`` in ``Modules/_asynciomodule.c``, ``Task.__wakeup`` in
``Lib/asyncio/tasks.py``; CPython 3.10 to 3.15).

All of this must run on the task's own loop.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from asyncconsole.capture import futures


class Wakeup(NamedTuple):
    """What makes a task go on.

    Attributes:
        callback: Takes the future whose result or exception the task gets.
        context: The context variables it runs with; None where Python keeps none.
    """

    callback: Any
    context: Any


def detach(task: Any) -> Wakeup | None:
    """Take the task's wake-up out of the callbacks of the future it awaits.

    Returns:
        None when it can't be found there; then nothing was changed.
    """
    future = futures.waiter(task)
    for callback, context in futures.reactions(future):
        if getattr(callback, "__self__", None) is task:
            future.remove_done_callback(callback)
            # 3.14 and later: who awaits whom is recorded besides, and the wake-up would
            # only take it back from the future that it is called with.
            forget = getattr(asyncio, "future_discard_from_awaited_by", None)
            if forget is not None:
                forget(future, task)
            return Wakeup(callback, context)
    return None


def wake(task: Any, wakeup: Wakeup, ready: Any) -> None:
    """Have the task go on with what ``ready``, a future that is done, gives or raises."""
    # Without its own context a task could not reset the context variables that it has set.
    futures.loop(task).call_soon(wakeup.callback, ready, context=wakeup.context)
