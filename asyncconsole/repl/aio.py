"""The engine of aioconsole, where that is installed.

Only what lines mean is aioconsole's: its compiler and its `aexec` run them. Reading, Ctrl-C,
output, and where statements run are the session's, so it keeps all that the other engine keeps.
aioconsole is GPL-3.0-or-later; nothing of it is in this package.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from asyncconsole.commands.port import ReplTarget, Terminal
from asyncconsole.model import ConsoleError
from asyncconsole.repl.engine import NOTHING
from asyncconsole.repl.session import Session
from asyncconsole.repl.source import says_something
from asyncconsole.repl.statement import Outcome, Scope, Typed
from asyncconsole.repl.window import Steps
from asyncconsole.repl.work import Work

PATIENCE = 5.0
"""Seconds for the import: the program may stand still inside one and keep the lock."""

_FILE = "<console>"


class AioconsoleEngine:
    """Statements as aioconsole understands them."""

    async def run(
        self, terminal: Terminal, target: ReplTarget, loop: int | None = None, *, side: bool = False
    ) -> None:
        """See `asyncconsole.repl.engine.Engine.run`.

        Raises:
            ConsoleError: Besides: aioconsole is not installed, or can't be imported now.
        """
        session = Session(terminal, target, Aioconsole(await _imported()))
        try:
            await session.run(loop, side=side)
        finally:
            session.close()


async def _imported() -> ModuleType:
    """aioconsole, imported by a thread, not by the one that serves everybody.

    Raises:
        ConsoleError: Why not, and what to do.
    """
    found: list[ModuleType] = []
    failed: list[BaseException] = []

    def load() -> None:
        try:
            found.append(importlib.import_module("aioconsole"))
        except BaseException as error:
            failed.append(error)

    threading.Thread(target=load, name="asyncconsole loading", daemon=True).start()
    end = time.monotonic() + PATIENCE
    while not found and not failed and time.monotonic() < end:  # noqa: ASYNC110 - it is a thread
        await asyncio.sleep(0.01)
    if found:
        return found[0]
    if failed and isinstance(failed[0], ModuleNotFoundError):
        msg = (
            "console: aioconsole is not installed where the program runs: "
            "pip install asyncconsole[repl], or leave --engine out."
        )
        raise ConsoleError(msg)
    why = f"{type(failed[0]).__name__}: {failed[0]}" if failed else "an import is under way"
    msg = f"console: aioconsole can't be imported: {why}. `console` works without."
    raise ConsoleError(msg)


class Aioconsole:
    """Python as aioconsole compiles and executes it; a `Language`."""

    name = "aioconsole"

    def __init__(self, module: ModuleType) -> None:
        console = module.AsynchronousConsole(streams=(None, None), locals={}, loop=object())
        self._compile = console.compile
        self._execute = module.aexec

    def compile(self, lines: list[str]) -> Any:
        """See `asyncconsole.repl.engine.Language.compile`."""
        if not any(map(says_something, lines)):
            return NOTHING
        return self._compile("\n".join(lines), _FILE, "single")

    def statement(self, code: Any, scope: Scope, ended: Callable[[], None]) -> Work[Outcome]:
        """See `asyncconsole.repl.engine.Language.statement`."""
        return _Execution(self._execute, code, scope, ended)

    def forget(self) -> None:
        """Nothing is kept."""


class _Execution(Typed):
    """One statement, run by aioconsole's ``aexec``."""

    def __init__(
        self, execute: Callable[..., Any], code: Any, scope: Scope, ended: Callable[[], None]
    ) -> None:
        super().__init__(scope, ended, awaits=True)
        self._execute = execute
        self._code = code

    async def _steps(self) -> Outcome:
        names = self._scope.names
        printer = _Printer(names["print"])
        coroutine = self._execute(self._code, local=names, stream=printer, filename=_FILE)
        await Steps(self.window, coroutine)
        return Outcome("")


class _Printer:
    """A file that aioconsole prints values to: the session."""

    def __init__(self, write: Callable[..., None]) -> None:
        self._write = write

    def write(self, text: str) -> None:
        """Show text in the session."""
        self._write(text, end="")
