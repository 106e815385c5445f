"""The engine that needs nothing but the standard library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asyncconsole.commands.port import ReplTarget, Terminal
from asyncconsole.repl.engine import NOTHING
from asyncconsole.repl.session import Session
from asyncconsole.repl.source import Code, Compiler
from asyncconsole.repl.statement import Outcome, Scope, Statement
from asyncconsole.repl.work import Work


class StdlibEngine:
    """Compiles with `ast`, runs in the program's loop, talks to the session alone."""

    async def run(
        self, terminal: Terminal, target: ReplTarget, loop: int | None = None, *, side: bool = False
    ) -> None:
        """See `asyncconsole.repl.engine.Engine.run`."""
        session = Session(terminal, target, Python())
        try:
            await session.run(loop, side=side)
        finally:
            session.close()


class Python:
    """Python with top-level await; a `Language`."""

    name = ""

    def __init__(self) -> None:
        self._compiler = Compiler()

    def compile(self, lines: list[str]) -> Any:
        """See `asyncconsole.repl.engine.Language.compile`."""
        code = self._compiler.compile(lines)
        return NOTHING if code is not None and not code.parts else code

    def statement(self, code: Code, scope: Scope, ended: Callable[[], None]) -> Work[Outcome]:
        """See `asyncconsole.repl.engine.Language.statement`."""
        return Statement(code, scope, ended)

    def forget(self) -> None:
        """Drop the texts kept for tracebacks."""
        self._compiler.forget()
