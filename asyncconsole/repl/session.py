"""One person's REPL: asks, runs, shows; whatever the language makes of what is typed."""

from __future__ import annotations

import asyncio
import contextlib
import platform
import time
from collections.abc import Callable
from typing import Any

from asyncconsole.commands.port import ReplTarget, Terminal
from asyncconsole.model import ConsoleError, UnknownItemError
from asyncconsole.repl import trouble
from asyncconsole.repl.display import explain_syntax
from asyncconsole.repl.engine import NOTHING, Language
from asyncconsole.repl.names import Leave, session_names
from asyncconsole.repl.output import Output
from asyncconsole.repl.place import Place, ProgramLoop, SideLoop
from asyncconsole.repl.source import UNREADABLE
from asyncconsole.repl.statement import Outcome, Scope
from asyncconsole.repl.watch import Watch
from asyncconsole.repl.work import Work

SOON = 1.0
"""Seconds after which a statement that has not begun, or not stopped, is explained."""


class Session:
    """One person's REPL.

    Args:
        terminal: Where statements come from and answers go.
        target: The program.
        language: Makes statements of lines.
    """

    def __init__(self, terminal: Terminal, target: ReplTarget, language: Language) -> None:
        self._terminal = terminal
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._output = Output(terminal, self._loop)
        self._language = language
        names = dict(target.namespace())
        names.setdefault("__name__", "__console__")
        names.update(session_names(self._output.write))
        self._scope = Scope(names)
        self._place: Place | None = None
        self._statement: Work[Outcome] | None = None
        self._bell = asyncio.Event()
        self._pressed = 0

    async def run(self, number: int | None, *, side: bool) -> None:
        """Ask, run, show, until the person leaves."""
        try:
            self._place = await self._choose(number, side=side)
            await self._say(_greeting(self._place, self._language.name))
            while (code := await self._read()) is not None:
                watch = Watch(self._target, self._place.number)
                outcome = await self._run(code, watch)
                if outcome is not None:
                    self._output.write(outcome.text)
                self._output.write(watch.sum_up())
                await self._output.drained()
                if outcome is not None and outcome.leave:
                    break
        except EOFError:
            pass
        await self._output.drained()

    def close(self) -> None:
        """Stop what runs, without waiting for it."""
        self._terminal.on_interrupt(None)
        statement = self._statement
        if statement is not None and statement.outcome is None and not statement.withdraw():
            statement.interrupt()
        if self._place is not None:
            self._place.close()
        self._output.close()
        self._language.forget()

    # Where statements run

    async def _choose(self, number: int | None, *, side: bool) -> Place:
        """The place to start with.

        Raises:
            UnknownItemError: There is no loop ``number``.
            EOFError: The person left when asked.
        """
        if side:
            return SideLoop(self._target)
        snapshot = await self._target.snapshot("loops")
        running = [loop for loop in snapshot.loops if loop.running]
        if number is not None and number not in {loop.id for loop in snapshot.loops}:
            msg = f"No loop {number}. `loops` lists them."
            raise UnknownItemError(msg)
        loops = [loop for loop in running if number in (None, loop.id)]
        if not loops:
            lack = "No event loop of the program runs" if number is None else f"Loop {number} rests"
            await self._say(f"{lack} now; statements run in a side loop of the console.")
            return SideLoop(self._target)
        chosen = loops[0]
        if chosen.blocked is not None:
            place = trouble.describe(self._target, chosen.id)
            why = f"Loop {chosen.id} has been blocked for {chosen.blocked:.1f} s{place}."
            if await self._offer(f"{why} Statements can't run in it."):
                return SideLoop(self._target)
        return ProgramLoop(self._target, chosen.id)

    async def _offer(self, why: str) -> bool:
        """Explain, and ask whether to go on beside the program.

        Raises:
            EOFError: The person left.
        """
        await self._say(why)
        if not self._terminal.interactive:
            await self._say("Going on in a side loop of the console.")
            return True
        try:
            answer = await self._terminal.read_line("Use a side-loop REPL? [Y/n] ")
        except KeyboardInterrupt:
            raise EOFError from None
        return answer.strip().lower() in ("", "y", "yes")

    async def _say(self, text: str) -> None:
        self._output.write(text + "\n")
        await self._output.drained()

    # Reading

    async def _read(self) -> Any:
        """The next statement; None when the person wants to leave by name.

        Raises:
            EOFError: Ctrl-D, or the client is gone.
        """
        lines: list[str] = []
        while True:
            assert self._place is not None
            prompt = self._place.prompt
            if lines:
                prompt = "." * (len(prompt) - 1) + " "
            try:
                typed = await self._terminal.read_line(prompt, python=True)
            except KeyboardInterrupt:
                lines = []
                await self._say("KeyboardInterrupt")
                continue
            lines += typed.split("\n")
            if len(lines) == 1 and isinstance(self._scope.names.get(typed.strip()), Leave):
                return None
            try:
                code = self._language.compile(lines)
            except UNREADABLE as error:
                lines = []
                await self._say(explain_syntax(error).rstrip("\n"))
                continue
            if code is None:
                continue
            lines = []
            if code is not NOTHING:
                return code

    # Running

    async def _run(self, code: Any, watch: Watch) -> Outcome | None:
        """Run a statement; None when it was withdrawn or left behind."""
        statement = self._language.statement(code, self._scope, self._ring)
        self._statement = statement
        self._pressed = 0
        self._terminal.on_interrupt(self._press)
        try:
            return await self._watch(statement, watch)
        finally:
            self._terminal.on_interrupt(None)

    def _ring(self) -> None:
        """Wake `_watch`; from any thread."""
        with contextlib.suppress(RuntimeError):  # the console's loop has closed
            self._loop.call_soon_threadsafe(self._bell.set)

    def _press(self) -> None:
        """Ctrl-C, while a statement runs."""
        self._pressed += 1
        self._ring()

    async def _bell_or(self, seconds: float) -> None:
        """Wait until the bell rings, ``seconds`` at most."""
        timer = self._loop.call_later(seconds, self._bell.set)
        try:
            await self._bell.wait()
        finally:
            timer.cancel()
        self._bell.clear()

    async def _watch(self, statement: Work[Outcome], watch: Watch) -> Outcome | None:
        """Submit a statement, see to it that it begins, and that Ctrl-C stops it."""
        cancel = await self._submit(statement)
        submitted = time.monotonic()
        explained = False
        stopping: _Stopping | None = None
        served = 0
        while True:
            if statement.outcome is not None:
                return statement.outcome
            if self._pressed > served:
                served = self._pressed
                if statement.withdraw():
                    cancel()
                    await self._say("KeyboardInterrupt: withdrawn; it had not begun")
                    return None
                if stopping is not None and stopping.explained:
                    await self._say("Left behind. It may still run.")
                    if self._place is not None and self._place.number is None:
                        self._move()  # what it left behind may block the old one
                    return None
                stopping = _Stopping(statement)
                statement.interrupt()
            now = time.monotonic()
            if stopping is not None and not stopping.explained and now - stopping.since >= SOON:
                stopping.explained = True
                await self._say(await stopping.explain(self._target, self._place))
            elif not statement.begun and not explained and now - submitted >= SOON:
                explained = True
                cancel = await self._late(statement, cancel, submitted)
            elif statement.loop is not None and statement.loop.is_closed():
                return statement.outcome or Outcome("The loop was closed before it ended.\n")
            if stopping is None and (warning := watch.look(statement.window.thread is not None)):
                await self._say(warning)
            await self._bell_or(SOON / 4)

    async def _submit(self, statement: Work[Outcome]) -> Callable[[], None]:
        """Give a statement to the place where statements run, or to a side loop."""
        assert self._place is not None
        try:
            return self._place.submit(statement.begin)
        except (ConsoleError, RuntimeError) as gone:
            await self._say(f"{gone} Going on in a side loop of the console.")
        self._move()
        return self._place.submit(statement.begin)

    def _move(self) -> None:
        """From now on statements run beside the program."""
        if self._place is not None:
            self._place.close()
        self._place = SideLoop(self._target)

    async def _late(
        self, statement: Work[Outcome], cancel: Callable[[], None], submitted: float
    ) -> Callable[[], None]:
        """A statement has not begun: offer the side loop, or go on waiting.

        Returns:
            What withdraws the statement from where it waits now.
        """
        assert self._place is not None
        number = self._place.number
        if number is None:
            await self._say("The side loop is busy with what was left behind. Ctrl-C withdraws.")
            return cancel
        place = trouble.describe(self._target, number)
        late = time.monotonic() - submitted
        why = f"Loop {number} is blocked{place}: it has not begun this for {late:.1f} s."
        self._terminal.on_interrupt(None)
        try:
            moves = await self._offer(why)
        finally:
            self._terminal.on_interrupt(self._press)
        if not moves:
            await self._say("Waiting for the loop; Ctrl-C withdraws the statement.")
            return cancel
        if statement.begun:
            return cancel  # it began while the person thought
        cancel()
        self._move()
        return self._place.submit(statement.begin)


def _greeting(place: Place, engine: str) -> str:
    with_engine = f" ({engine})" if engine else ""
    where = f"in loop {place.number}" if place.number is not None else "in a side loop"
    return (
        f"Python {platform.python_version()}{with_engine}; statements run {where}, `await` works.\n"
        "Ctrl-C stops a statement; exit() or Ctrl-D leaves. The program goes on."
    )


class _Stopping:
    """A statement that was asked to stop."""

    def __init__(self, statement: Work[Outcome]) -> None:
        self.since = time.monotonic()
        self.explained = False
        self._statement = statement

    async def explain(self, target: ReplTarget, place: Place | None) -> str:
        """Why it still runs."""
        again = "Ctrl-C again leaves it behind."
        seconds = f"Still running {time.monotonic() - self.since:.1f} s after Ctrl-C"
        whose = "the program's loop" if place is None or place.number is not None else "its loop"
        thread = self._statement.window.thread
        if thread is not None:
            if self._statement.window.pending:
                return (
                    f"{seconds}: the statement is in a blocking C call{trouble.position(thread)}; "
                    f"it keeps {whose} blocked until it returns. {again}"
                )
            return (
                f"{seconds}: the statement caught the interrupt and goes on; it keeps {whose} "
                f"blocked. {again}"
            )
        stuck = None
        if place is not None and place.number is not None:
            stuck = await trouble.blocked(target, place.number)
        if stuck:
            return f"{seconds}: loop {stuck}, so the cancellation waits. {again}"
        return f"{seconds}: it caught the cancellation, or cleans up. {again}"
