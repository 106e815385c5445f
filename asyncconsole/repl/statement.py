"""One statement on its way through a loop of the program.

The side that typed it holds a `Statement`; `Statement.begin` is called once by the loop
that runs it. Only text comes back. No exception of any kind leaves `begin` or the task,
so none can end the program's loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asyncconsole.repl.display import explain, show
from asyncconsole.repl.source import COROUTINE, Code
from asyncconsole.repl.window import Interrupted, Steps, Window

TASK = "asyncconsole-repl"
"""Name of the task of a statement that awaits."""

_log = logging.getLogger("asyncconsole")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a statement.

    Attributes:
        text: What to show.
        leave: True when it asked to leave the session.
    """

    text: str
    leave: bool = False


class Scope:
    """What the statements of one session share.

    Attributes:
        names: Their globals.
        context: Their context variables.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.context = contextvars.Context()


class Statement:
    """One statement.

    Attributes:
        window: Open while it keeps its loop's thread busy.
        loop: The loop it was started in; None before.
        thread: Ident of that loop's thread, or 0.
        outcome: None until it has ended.
    """

    def __init__(self, code: Code, scope: Scope, ended: Callable[[], None]) -> None:
        """A statement that has not begun.

        Args:
            code: What to run.
            scope: The session's names and context.
            ended: Called once, from any thread, when ``outcome`` is there.
        """
        self.window = Window()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = 0
        self.outcome: Outcome | None = None
        self._code = code
        self._scope = scope
        self._ended = ended
        self._ticket: list[None] = [None]  # who takes it decides whether this ever begins
        self._task: asyncio.Future[Any] | None = None
        self._cancelled = False

    def begin(self) -> None:
        """Run; called by the loop."""
        try:
            self._ticket.pop()
        except IndexError:
            return
        try:
            # A copy, for a statement that was left behind may still be in the session's.
            context = self._scope.context.copy()
            self.thread = threading.get_ident()
            self.loop = asyncio.get_running_loop()
            if self._code.awaits:
                context.run(self._create_task)
            else:
                self._finish(self.window.run(context.run, self._run), context)
        except BaseException as error:
            self._finish(self._failed(error))

    def withdraw(self) -> bool:
        """Make sure that it never begins.

        Returns:
            False when it has begun.
        """
        try:
            self._ticket.pop()
        except IndexError:
            return False
        return True

    def interrupt(self) -> None:
        """Stop it: at its next bytecode while it runs, at its await while it awaits."""
        try:
            if self.window.shoot():
                return
        except Exception:
            _log.exception("can't interrupt a statement")
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                self.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        """On the loop: cancel the statement's own task."""
        try:
            if self._task is not None:
                self._cancelled = True
                self._task.cancel()
        except BaseException:
            _log.exception("can't cancel a statement")

    def _create_task(self) -> None:
        assert self.loop is not None
        coroutine = self._guard()
        try:
            # The loop's own way, so that the program's task factory has its say.
            task: asyncio.Future[Any] = self.loop.create_task(coroutine, name=TASK)
        except BaseException:
            coroutine.close()
            raise
        if self.outcome is None:  # an eager task may have ended already
            self._task = task
            task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Future[Any]) -> None:
        """Report for a task that was cancelled before its first step."""
        if not task.cancelled():
            task.exception()
        self._finish(Outcome("CancelledError: the program cancelled the statement's task\n"))

    def _run(self) -> Outcome:
        """All of a statement that awaits nothing."""
        try:
            value = None
            for part in self._code.parts:
                value = eval(part, self._scope.names)  # noqa: S307 - a REPL
            return self._answer(value)
        except BaseException as error:
            return self._failed(error)

    async def _guard(self) -> None:
        """All of a statement that awaits; never raises but when its loop is torn down."""
        try:
            value = None
            for part in self._code.parts:
                value = self.window.run(eval, part, self._scope.names)
                if part.co_flags & COROUTINE:
                    value = await Steps(self.window, value)
            outcome = self.window.run(self._answer, value)
        except GeneratorExit:
            self._finish(Outcome("The statement's loop was closed before it ended.\n"))
            raise
        except BaseException as error:
            outcome = self._failed(error)
        self._finish(outcome, contextvars.copy_context())

    def _answer(self, value: Any) -> Outcome:
        """Show a value and bind ``_`` to it."""
        if value is None:
            return Outcome("")
        text = show(value)
        self._scope.names["_"] = value
        return Outcome(text + "\n")

    def _failed(self, error: BaseException) -> Outcome:
        """What to show of whatever a statement raised."""
        try:
            if isinstance(error, SystemExit):
                return Outcome("", leave=True)
            if isinstance(error, asyncio.CancelledError) and self._cancelled:
                return Outcome("KeyboardInterrupt: cancelled at its await\n")
            return Outcome(explain(error))
        except Interrupted:
            return Outcome("KeyboardInterrupt\n")
        except BaseException:
            _log.exception("can't show what a statement raised")
            return Outcome(f"{type(error).__name__}\n")

    def _finish(self, outcome: Outcome, context: contextvars.Context | None = None) -> None:
        """Report; the first report counts."""
        if self.outcome is not None:
            return
        if context is not None:
            self._scope.context = context
        self.outcome = outcome
        self._task = None
        self._ended()
