"""One statement on its way through a loop; see `asyncconsole.repl.work`."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asyncconsole.repl.display import explain, show
from asyncconsole.repl.source import COROUTINE, Code
from asyncconsole.repl.window import Interrupted, Steps
from asyncconsole.repl.work import Work

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


class Typed(Work[Outcome]):
    """Something that a person typed."""

    def __init__(self, scope: Scope, ended: Callable[[], None], *, awaits: bool) -> None:
        """A statement that has not begun.

        Args:
            scope: The session's names and context.
            ended: Called once, from any thread, when ``outcome`` is there.
            awaits: Whether it needs a task.
        """
        super().__init__(ended, TASK, awaits=awaits)
        self._scope = scope

    def _context(self) -> contextvars.Context:
        # A copy, for a statement that was left behind may still be in the session's.
        return self._scope.context.copy()

    def _keep(self, context: contextvars.Context) -> None:
        self._scope.context = context

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

    def _lost(self, why: str) -> Outcome:
        return Outcome(why + "\n")


class Statement(Typed):
    """One statement."""

    def __init__(self, code: Code, scope: Scope, ended: Callable[[], None]) -> None:
        """A statement that has not begun; ``code`` is what to run."""
        super().__init__(scope, ended, awaits=code.awaits)
        self._code = code

    def _run(self) -> Outcome:
        try:
            value = None
            for part in self._code.parts:
                value = eval(part, self._scope.names)  # noqa: S307 - a REPL
            return self._answer(value)
        except BaseException as error:
            return self._failed(error)

    async def _steps(self) -> Outcome:
        value = None
        for part in self._code.parts:
            value = self.window.run(eval, part, self._scope.names)
            if part.co_flags & COROUTINE:
                value = await Steps(self.window, value)
        found: Outcome = self.window.run(self._answer, value)
        return found

    def _answer(self, value: Any) -> Outcome:
        """Show a value and bind ``_`` to it."""
        if value is None:
            return Outcome("")
        text = show(value)
        self._scope.names["_"] = value
        return Outcome(text + "\n")
