"""The side thread: one daemon thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import selectors
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Protocol

from asyncconsole.serve.journal import log, note
from asyncconsole.serve.loading import forget_half_imports
from asyncconsole.serve.patience import within

THREAD_NAME = "asyncconsole"

_STARTING = 5.0
_CLOSING = 2.5
_TASKS = 1.0


class Watcher(Protocol):
    """Who wants to know when the side thread waits; called on it, before all else."""

    def resting(self) -> None:
        """It goes to wait."""

    def woken(self) -> None:
        """It has waited."""


class _Selector(selectors.DefaultSelector):
    """Says when the thread goes to wait, and at once when it has, for events or for the GIL."""

    def __init__(self) -> None:
        super().__init__()
        self.watcher: Watcher | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.watcher is not None:
            self.watcher.resting()
        found = super().select(timeout)
        if self.watcher is not None:
            self.watcher.woken()
        return found


class SideThread:
    """Runs ``setup`` on its loop, then whatever that started, until `stop`.

    The loop is a plain selector loop whatever the program's policy is, and is set as
    nobody's current loop. Nothing here touches signals or the main thread's loop.
    """

    def __init__(
        self,
        setup: Callable[[], Awaitable[None]],
        teardown: Callable[[], Awaitable[None]],
        *,
        name: str = THREAD_NAME,
    ) -> None:
        self._setup = setup
        self._teardown = teardown
        self._selector = _Selector()
        try:
            self.loop = asyncio.SelectorEventLoop(self._selector)
        except BaseException:
            self._selector.close()
            raise
        self.loop.set_exception_handler(_report)
        self.loop.set_task_factory(_task)  # type: ignore[arg-type]  # typeshed wants no keywords
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._stopping = False
        self.thread = threading.Thread(target=self._main, name=name, daemon=True)

    @property
    def inside(self) -> bool:
        """True when called from the side thread itself."""
        return threading.current_thread() is self.thread

    def tell(self, watcher: Watcher) -> None:
        """Tell ``watcher`` from now on."""
        self._selector.watcher = watcher

    def start(self) -> None:
        """Start, and wait until ``setup`` is through; bounded.

        Raises:
            Exception: What ``setup`` raised, or TimeoutError; the thread is then ending.
        """
        try:
            self.thread.start()
        except BaseException:
            self.loop.close()
            raise
        if not self._ready.wait(_STARTING):
            self.stop()
            msg = f"the side thread was not ready after {_STARTING:g} s"
            raise TimeoutError(msg)
        if self._failure is not None:
            self.thread.join(_CLOSING)
            raise self._failure

    def stop(self) -> None:
        """Ask it to end; from any thread, any number of times."""
        self._stopping = True
        with contextlib.suppress(RuntimeError):  # its loop has closed
            self.loop.call_soon_threadsafe(self.loop.stop)

    def join(self, deadline: float) -> bool:
        """Wait until it has ended; False when it had not by ``deadline`` (monotonic)."""
        if self.inside or not self.thread.is_alive():
            return True
        self.thread.join(max(0.0, deadline - time.monotonic()))
        return not self.thread.is_alive()

    def abandon(self) -> None:
        """In a forked child, where the thread is gone: close its descriptors.

        Not ``loop.close()``: that unregisters from the selector the parent still uses.
        """
        self._selector.close()
        forget_half_imports(self.thread.ident)
        for name in ("_ssock", "_csock"):  # the loop's self-pipe, in CPython's selector loop
            pipe: Any = getattr(self.loop, name, None)
            if pipe is not None:
                pipe.close()

    def _main(self) -> None:
        _name_thread()
        try:
            self._run(self._setup(), "start")
            self._ready.set()
            while not self._stopping and self._failure is None:
                self._turn()
        except BaseException as error:
            # SystemExit too: nothing may get out of here and be printed.
            note(log, logging.ERROR, "the side thread failed", exc_info=error)
        finally:
            self._finish()
            self._ready.set()

    def _turn(self) -> None:
        """Run the loop until someone stops it; what a callback threw out of it is noted."""
        try:
            self.loop.run_forever()
        except BaseException as error:
            note(log, logging.ERROR, "something got out of the side loop", exc_info=error)

    def _run(self, work: Awaitable[None], what: str) -> None:
        async def bounded() -> None:
            await within(_STARTING if what == "start" else _CLOSING, work)

        try:
            self.loop.run_until_complete(bounded())
        except BaseException as error:
            if what == "start":
                self._failure = error
            else:
                note(log, logging.ERROR, "the console could not %s cleanly", what, exc_info=error)

    def _finish(self) -> None:
        try:
            self._run(self._teardown(), "close")
            self._cancel_tasks()
            # Transports close in callbacks of the next turns.
            for _ in range(3):
                self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        except BaseException as error:
            note(log, logging.ERROR, "the console could not close cleanly", exc_info=error)
        finally:
            self.loop.close()

    def _cancel_tasks(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks, timeout=_TASKS))
        for task in tasks:
            if not task.done():
                note(log, logging.ERROR, "a task of the console would not end: %r", task)


async def ended(
    side: SideThread | None,
    pending: Iterable[Callable[[], bool]],
    deadline: float,
    patience: float,
) -> None:
    """Wait, on a loop of the program's, for the end of a side thread that was told to stop.

    Args:
        side: The thread.
        pending: Each says whether something that it has left to others still goes on.
        deadline: Monotonic time at which to give up.
        patience: Seconds, at the most, for what it has left.
    """
    # Not join(): the program's loop goes on meanwhile.
    while side is not None and side.thread.is_alive() and time.monotonic() < deadline:  # noqa: ASYNC110 - it is a thread
        await asyncio.sleep(0.002)
    left = tuple(pending)
    deadline = min(deadline, time.monotonic() + patience)
    while any(still() for still in left) and time.monotonic() < deadline:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.002)


def _name_thread() -> None:
    """Give this thread its name in the kernel, too, for other processes (3.14 does it itself)."""
    with contextlib.suppress(OSError), open("/proc/thread-self/comm", "wb") as file:  # noqa: PTH123
        file.write(THREAD_NAME.encode())


def _task(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
) -> asyncio.Task[Any]:
    """A task with our name: an unnamed one would use up a ``Task-N`` of the program."""
    options["name"] = options.get("name") or THREAD_NAME
    return asyncio.Task(work, loop=loop, **options)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Complaints of asyncio about our own loop go to our own log."""
    _ = loop
    error = context.get("exception")
    note(log, logging.ERROR, "side loop: %s", context.get("message"), exc_info=error)
