"""Stopping Python code that keeps a thread busy, and nothing else in that thread.

``PyThreadState_SetAsyncExc`` makes a thread raise an exception at its next bytecode. By
itself that is unfit for somebody else's event loop: the thread may have gone on to the
program's code when the exception arrives. So it is only used through a `Window`:

1. The thread opens the window, runs the statement, and shuts the window (`Window.run`).
2. The interrupter takes the one token out of ``_gate``, looks whether the window is still
   open, sets the exception, and puts the token back (`Window.shoot`).
3. To shut, the thread first says that it is leaving, then waits until the token is there.
   From then on no exception can be set: whoever takes the token later finds the window
   shut. An exception set before is either raised already or still pending; a pending one
   is cleared, and one that is raised while the thread shuts the window is caught in `run`,
   which shuts it again.

So when `Window.run` has returned or raised, nothing is pending and nothing can be set. One
exception can be under way at a time: each is of a class of its own, whose ``__init__`` tells
that it was raised, and a second one is set after that, and a second later at the earliest.

A token in a list is used, not a lock: ``with lock`` can itself be interrupted between
taking the lock and being ready to give it back; ``list.pop`` and ``list.append`` are atomic.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

AGAIN = 1.0
"""Least seconds between two exceptions for one step of a statement."""

PATIENCE = 1.0
"""Most seconds for which a shutting window waits for the interrupter's microseconds."""


class Interrupted(KeyboardInterrupt):
    """What Ctrl-C raises in a statement that keeps a thread busy."""

    __module__ = "builtins"  # tracebacks then say what everybody knows: KeyboardInterrupt
    __qualname__ = "KeyboardInterrupt"


def _set_async_exception(thread: int, kind: type[BaseException] | None) -> int:
    """Make a thread raise ``kind``, or forget what it was to raise.

    Returns:
        How many threads that are: 1, or 0 when it has ended.
    """
    import ctypes  # noqa: PLC0415 - only for a Ctrl-C, in processes that may never see one

    thrown = None if kind is None else ctypes.py_object(kind)
    return int(ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), thrown))


class Window:
    """The time in which one statement, and no other code, runs in a thread."""

    def __init__(self) -> None:
        self._gate: list[None] = [None]
        self._leaving = True
        self._thread = 0
        self._pending = False
        self._shot_at = -AGAIN

    @property
    def pending(self) -> bool:
        """True while an exception waits for the thread to come back to Python code."""
        return self._pending

    @property
    def thread(self) -> int | None:
        """Ident of the thread the statement keeps busy right now; None while it awaits."""
        return None if self._leaving else self._thread

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """``function(*arguments)``, which `shoot` can stop from another thread.

        Raises:
            Interrupted: `shoot` hit. It may have hit when the function had just returned.
        """
        try:
            try:
                self._open()
                return function(*arguments)
            finally:
                self._shut()
        except Interrupted:
            self._shut()
            raise

    def shoot(self) -> bool:
        """Interrupt what runs in the window; from another thread.

        Returns:
            False when nothing runs in it.
        """
        try:
            self._gate.pop()
        except IndexError:
            return False
        try:
            if self._leaving:
                return False
            now = time.monotonic()
            if not self._pending and now - self._shot_at >= AGAIN:
                self._shot_at = now
                self._pending = True
                _set_async_exception(self._thread, self._bullet())
            return True
        finally:
            self._gate.append(None)

    def _open(self) -> None:
        self._thread = threading.get_ident()
        self._shot_at = -AGAIN
        self._leaving = False

    def _shut(self) -> None:
        """Let nobody shoot any more. May be called twice: the first call may be hit."""
        self._leaving = True
        end = time.monotonic() + PATIENCE
        while not self._gate and time.monotonic() < end:
            time.sleep(0)
        if self._pending:
            _set_async_exception(self._thread, None)
            self._pending = False

    def _bullet(self) -> type[Interrupted]:
        """A class whose instances, as they are made in order to be raised, tell so."""

        def arrive(_error: Interrupted) -> None:
            self._pending = False

        body = {"__module__": Interrupted.__module__, "__init__": arrive}
        return type(Interrupted.__qualname__, (Interrupted,), body)


class Steps:
    """Awaits a coroutine and opens the window for each of its steps.

    The capture of await stacks looks through this object by the slot ``asyncconsole_awaits``.
    """

    __slots__ = ("_window", "asyncconsole_awaits")

    def __init__(self, window: Window, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._window = window
        self.asyncconsole_awaits = coroutine

    def __await__(self) -> Steps:
        return self

    def __iter__(self) -> Steps:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        """Run to the next await."""
        return self._step(self.asyncconsole_awaits.send, value)

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any:
        """Raise an exception at the await; older Pythons pass it in three parts."""
        if isinstance(kind, BaseException):
            error = kind
        elif isinstance(value, BaseException):
            error = value
        else:
            error = kind() if value is None else kind(value)
        if traceback is not None:
            error = error.with_traceback(traceback)
        return self._step(self.asyncconsole_awaits.throw, error)

    def close(self) -> None:
        """End the coroutine; nothing of it is shown any more."""
        self.asyncconsole_awaits.close()

    def _step(self, function: Callable[..., Any], argument: Any) -> Any:
        try:
            return self._window.run(function, argument)
        except Interrupted:
            inner: Any = self.asyncconsole_awaits
            if inner.cr_frame is None or inner.cr_running:
                raise
        # The step had just ended when the interrupt came, and what it awaits is lost:
        # raise the interrupt at that await.
        return self._window.run(self.asyncconsole_awaits.throw, Interrupted())
