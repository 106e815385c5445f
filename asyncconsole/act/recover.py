"""Last resorts: an exception into a task, a result into its future, a lock given back.

Each makes what is to be done on the program's loop (see `errand`), and tells afterwards
what has come of it. Nothing here waits.
"""

from __future__ import annotations

import asyncio
import builtins
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from asyncconsole.act.wakeup import detach, wake
from asyncconsole.capture import futures
from asyncconsole.capture.chain import walk
from asyncconsole.capture.waits import understand
from asyncconsole.model.errors import UsageError

MOVED = "it has gone on meanwhile"
NEVER = (StopIteration, GeneratorExit, KeyboardInterrupt, SystemExit)
"""They end generators, or leave the loop with everything on it, instead of one task."""

MOST_LAYERS = 50
"""Tasks of ``wait_for`` inside each other that are followed."""

_DICT: Any = vars(ModuleType)["__dict__"].__get__
_PLAIN = (futures.CFuture, futures.PyFuture)


def exception_class(name: str) -> type[BaseException]:
    """The exception that a word means: a builtin one, or ``module.Name`` that is loaded.

    Nothing is imported and no attribute is asked for that could run code.

    Raises:
        UsageError: It means none, or one that must not be thrown.
    """
    module, _, last = name.rpartition(".")
    if module:
        loaded = sys.modules.get(module)
        space: Any = _DICT(loaded) if issubclass(type(loaded), ModuleType) else None
        if space is None:
            msg = f"throw: the program has loaded no module `{module[:80]}`."
            raise UsageError(msg)
    else:
        space = {**_DICT(sys.modules["__main__"]), **_DICT(builtins)}
    found = space.get(last)
    if not (issubclass(type(found), type) and issubclass(found, BaseException)):
        hint = "" if module else " Say module.Name for one that is not built in."
        msg = f"throw: `{name[:80]}` is no exception.{hint}"
        raise UsageError(msg)
    if issubclass(found, NEVER):
        msg = f"throw: {last} is not for a task: it would end more than that. Throw another."
        raise UsageError(msg)
    if issubclass(found, asyncio.CancelledError):
        msg = "throw: use `cancel`: timeouts and TaskGroups count cancellations."
        raise UsageError(msg)
    return found  # type: ignore[no-any-return]  # just asked


class Throwing:
    """An exception on its way into a task.

    Args:
        task: The task.
        future: What it is suspended on; when it is not any more, nothing is done.
        cls: The exception's class.
        message: Its argument; None for none.
    """

    def __init__(
        self, task: Any, future: Any, cls: type[BaseException], message: str | None
    ) -> None:
        self.task = task
        self.error: BaseException | None = None
        self._future = future
        self._class = cls
        self._message = message

    def do(self) -> str:
        """On the task's own loop."""
        if futures.waiter(self.task) is not self._future or futures.done(self._future):
            return MOVED
        entry = _entry(self.task)
        future = futures.waiter(entry)
        if future is None or futures.done(future):
            return MOVED
        try:
            error = self._class() if self._message is None else self._class(self._message)
        except Exception as broken:
            how = "without" if self._message is None else "from only"
            return (
                f"{self._class.__name__} can't be made {how} a message "
                f"({type(broken).__name__}: {broken})"[:200]
            )
        if not issubclass(type(error), self._class):
            return f"{self._class.__name__} makes something else"
        wakeup = detach(entry)
        if wakeup is None:
            return "its wake-up can't be found in what it awaits"
        if hasattr(error, "add_note"):
            error.add_note("(thrown into the task by hand, from asyncconsole)")
        self.error = error
        ready = futures.loop(entry).create_future()
        ready.set_exception(error)
        ready.exception()  # who looks at it has retrieved it
        _abandon(future)
        wake(entry, wakeup, ready)
        return ""


class Resolving:
    """A result on its way into the future that a task is suspended on.

    Args:
        task: The task.
        future: What it is suspended on; when it is not any more, nothing is done.
        value: The result.
    """

    def __init__(self, task: Any, future: Any, value: object) -> None:
        self.task = task
        self._future = future
        self._value = value

    def do(self) -> str:
        """On the task's own loop."""
        if futures.waiter(self.task) is not self._future or futures.done(self._future):
            return MOVED
        future = futures.waiter(_entry(self.task))
        if future is None or futures.done(future):
            return MOVED
        if futures.is_task(future) or issubclass(type(future), futures.GatheringFuture):
            return "it waits for another task, whose result is that task's own to give"
        future.set_result(self._value)
        return ""


class Releasing:
    """A lock that is given back for whoever has it.

    Args:
        thing: A Lock, Semaphore or Condition of asyncio.
    """

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def do(self) -> str:
        """On the lock's own loop."""
        # Semaphores are never "not locked": a release adds a permit.
        if not isinstance(self._thing, asyncio.Semaphore) and not self._thing.locked():
            return "it is not locked"
        self._thing.release()
        return ""


def releasable(thing: Any) -> bool:
    """True for what `Releasing` can give back."""
    return issubclass(type(thing), (asyncio.Lock, asyncio.Semaphore, asyncio.Condition))


def went_on(task: Any, before: Any) -> Callable[[], bool]:
    """A function that tells whether a task has left the await that it was in."""

    def left() -> bool:
        if futures.done(task):
            return True
        waiter = futures.waiter(task)
        return waiter is not before and (waiter is None or not futures.done(waiter))

    return left


def _entry(task: Any) -> Any:
    """The task that is suspended in ``task``'s stead.

    Up to 3.11 `asyncio.wait_for` runs its coroutine in a task of its own: whatever comes
    into that one is passed on, while anything else would leave it behind.
    """
    for _ in range(MOST_LAYERS):
        future = futures.waiter(task)
        if future is None or futures.done(future):
            break
        found = understand(walk(futures.coroutine(task)), future)
        if found.kind != "wait_for" or len(found.tasks) != 1:
            break
        task = found.tasks[0]
    return task


def _abandon(future: Any) -> None:
    """Cancel a future that nobody awaits any more, as `Task.cancel` would have done.

    It may be what keeps a socket registered or a place in a queue.
    """
    shared = any(
        futures.is_task(getattr(callback, "__self__", None))
        for callback in futures.callbacks(future)
    )
    if type(future) in _PLAIN and not shared:
        future.cancel()
