"""Code of somebody else's on its way through a loop of the program, or through a thread.

The side that wants it run holds a `Work`; `Work.begin` is called once by the loop or thread
that runs it. Only an outcome comes back. No exception of any kind leaves `begin` or the task,
so none can end the program's loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from asyncconsole.repl.window import Window

T = TypeVar("T")

_log = logging.getLogger("asyncconsole")


class Work(Generic[T]):
    """One thing to run. Subclasses say what, and what comes of it.

    Attributes:
        window: Open while it keeps its loop's thread busy.
        begun: True once it runs, or has run.
        loop: The loop it was started in; None before, and in a thread without one.
        thread: Ident of the thread it was started in, or 0.
        task: While it awaits: its task.
        outcome: None until it has ended.
    """

    def __init__(self, ended: Callable[[], None], name: str, *, awaits: bool) -> None:
        """Something that has not begun.

        Args:
            ended: Called once, from any thread, when ``outcome`` is there.
            name: Of the task of what awaits.
            awaits: Whether it needs a task.
        """
        self.window = Window()
        self.begun = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = 0
        self.task: asyncio.Future[Any] | None = None
        self.outcome: T | None = None
        self._ended = ended
        self._name = name
        self._awaits = awaits
        self._ticket: list[None] = [None]  # who takes it decides whether this ever begins
        self._cancelled = False

    # What a subclass says

    def _run(self) -> T:
        """All of what awaits nothing; raises nothing, unless it is interrupted."""
        raise NotImplementedError

    async def _steps(self) -> T:
        """All of what awaits; may raise anything."""
        raise NotImplementedError

    def _failed(self, error: BaseException) -> T:
        """What came of whatever it raised."""
        raise NotImplementedError

    def _lost(self, why: str) -> T:
        """What came of it when nobody lets it go on."""
        raise NotImplementedError

    def _context(self) -> contextvars.Context:
        """What it runs in."""
        return contextvars.Context()

    def _keep(self, context: contextvars.Context) -> None:
        """It has ended, and this is what it ran in."""

    # How it is run

    def begin(self) -> None:
        """Run; called by the loop or the thread."""
        try:
            self._ticket.pop()
        except IndexError:
            return
        try:
            context = self._context()
            self.thread = threading.get_ident()
            self.loop = asyncio._get_running_loop()  # noqa: SLF001 - the public one raises outside of a loop
            self.begun = True
            if self._awaits:
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
        """On the loop: cancel its own task."""
        try:
            if self.task is not None:
                self._cancelled = True
                self.task.cancel()
        except BaseException:
            _log.exception("can't cancel a statement")

    def _create_task(self) -> None:
        assert self.loop is not None
        coroutine = self._guard()
        try:
            # The loop's own way, so that the program's task factory has its say.
            task: asyncio.Future[Any] = self.loop.create_task(coroutine, name=self._name)
        except BaseException:
            coroutine.close()
            raise
        if self.outcome is None:  # an eager task may have ended already
            self.task = task
            task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Future[Any]) -> None:
        """Report for a task that was cancelled before its first step."""
        if not task.cancelled():
            task.exception()
        self._finish(self._lost("CancelledError: the program cancelled the statement's task"))

    async def _guard(self) -> None:
        """What the task runs; never raises but when its loop is torn down."""
        try:
            outcome = await self._steps()
        except GeneratorExit:
            self._finish(self._lost("The statement's loop was closed before it ended."))
            raise
        except BaseException as error:
            outcome = self._failed(error)
        self._finish(outcome, contextvars.copy_context())

    def _finish(self, outcome: T, context: contextvars.Context | None = None) -> None:
        """Report; the first report counts."""
        if self.outcome is not None:
            return
        if context is not None:
            self._keep(context)
        self.outcome = outcome
        self.task = None
        self._ended()
