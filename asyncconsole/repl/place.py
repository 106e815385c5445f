"""Where statements run: a loop of the program, or one of the console's own beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from asyncconsole.commands.port import ReplTarget

WINDING_UP = 1.0
"""Seconds that tasks of a side loop have to end when the session does."""

_log = logging.getLogger("asyncconsole")


class Place(Protocol):
    """Runs functions in an event loop.

    Attributes:
        prompt: Asks for a statement.
        number: Number of the program's loop, or None beside the program.
    """

    prompt: str
    number: int | None

    def submit(self, function: Callable[[], Any]) -> Callable[[], None]:
        """Run ``function()`` soon; the result withdraws it if it has not run yet."""

    def close(self) -> None:
        """Give up what this place needed."""


class ProgramLoop:
    """A loop of the program."""

    prompt = ">>> "

    def __init__(self, target: ReplTarget, number: int) -> None:
        self.number: int | None = number
        self._target = target
        self._loop = number

    def submit(self, function: Callable[[], Any]) -> Callable[[], None]:
        """See `Place.submit`.

        Raises:
            UnknownItemError: The loop is gone.
        """
        return self._target.submit(self._loop, function)

    def close(self) -> None:
        """Nothing: the loop is the program's."""


class SideLoop:
    """A loop in a thread of its own.

    Not the loop that serves the sessions: a statement there that does not return would
    take the console away, and nobody could interrupt it.
    """

    prompt = "side>>> "

    def __init__(self, target: ReplTarget) -> None:
        self.number: int | None = None
        self._loop = asyncio.new_event_loop()
        target.ignore_loop(self._loop)
        thread = threading.Thread(target=self._run, name="asyncconsole-repl", daemon=True)
        thread.start()

    def submit(self, function: Callable[[], Any]) -> Callable[[], None]:
        """See `Place.submit`."""
        return self._loop.call_soon_threadsafe(function).cancel

    def close(self) -> None:
        """Cancel the tasks in it and end the thread, without waiting for it."""
        with contextlib.suppress(RuntimeError):  # has closed already
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self) -> None:
        loop = self._loop
        try:
            loop.run_forever()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.wait(tasks, timeout=WINDING_UP))
            loop.run_until_complete(loop.shutdown_asyncgens())
        except Exception:
            _log.exception("the REPL's side loop did not end well")
        finally:
            loop.close()
