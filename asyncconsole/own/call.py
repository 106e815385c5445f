"""Running a program's own command: where it belongs, within its time, and harming nobody."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import inspect
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.chain import walk
from asyncconsole.capture.code import is_own
from asyncconsole.commands.port import ReplTarget
from asyncconsole.model import ConsoleError, DeadlineError, Result
from asyncconsole.own.answer import Plain, shown
from asyncconsole.own.registry import Own
from asyncconsole.repl import trouble
from asyncconsole.repl.display import brief, explain, ours
from asyncconsole.repl.place import Place, ProgramLoop, SideLoop
from asyncconsole.repl.window import Steps
from asyncconsole.repl.work import Work

MOST_BEHIND = 16
"""Calls that may have been left behind; then no more are begun."""

ENDING = 0.5
"""Seconds for a call to end that was told to stop."""

MOST_TRACES = 20
"""Commands of which the last traceback is kept."""

_behind: list[Work[Any]] = []
_traces: collections.OrderedDict[str, str] = collections.OrderedDict()


class CommandFailedError(ConsoleError):
    """A command of the program raised."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call.

    Attributes:
        plain: What it returned; None when it did not return.
        error: Why not, in one line.
        trace: The traceback.
    """

    plain: Plain | None
    error: str = ""
    trace: str = ""


class Call(Work[Outcome]):
    """One call of a function of the program."""

    def __init__(
        self,
        own: Own,
        arguments: tuple[list[Any], dict[str, Any]],
        ended: Callable[[], None],
        *,
        awaits: bool,
    ) -> None:
        """A call that has not begun.

        Args:
            own: The command.
            arguments: By position, and by name.
            ended: Called once, from any thread, when ``outcome`` is there.
            awaits: Whether it runs in a task.
        """
        super().__init__(ended, f"asyncconsole-command-{own.name}", awaits=awaits)
        self._own = own
        self._words, self._options = arguments

    def _call(self) -> Any:
        return self._own.function(*self._words, **self._options)

    def _run(self) -> Outcome:
        try:
            value = self._call()
            if inspect.iscoroutine(value):
                value.close()
                return Outcome(None, "gave a coroutine; decorate the `async def` itself")
            plain = Plain()
            for _ in plain.steps(value):
                pass
            return Outcome(plain)
        except BaseException as error:
            return self._failed(error)

    async def _steps(self) -> Outcome:
        value = self.window.run(self._call)
        if inspect.iscoroutine(value):
            value = await Steps(self.window, value)
        elif inspect.isawaitable(value):
            value = await value
        plain = Plain()
        steps = plain.steps(value)
        while self.window.run(next, steps, steps) is not steps:  # noqa: ASYNC110 - it is no waiting
            await asyncio.sleep(0)  # others have their turn
        return Outcome(plain)

    def _failed(self, error: BaseException) -> Outcome:
        try:
            return Outcome(None, f"raised {brief(error)}{_position(error)}", explain(error))
        except BaseException:  # the exception's own code: it is told without it
            return Outcome(None, f"raised {type(error).__name__}")

    def _lost(self, why: str) -> Outcome:
        return Outcome(None, f"was ended by the program: {why}")


def _position(error: BaseException) -> str:
    """``, at app.py:12 reload``: where it was raised, in the program's code if it can be told."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not ours(frame[0])]
    mine = [frame for frame in frames if is_own(frame.filename)] or frames
    if not mine:
        return ""
    frame = mine[-1]
    return f", at {_base(frame.filename)}:{frame.lineno} {frame.name}"


def _base(file: str) -> str:
    return os.path.basename(file)  # noqa: PTH119 - pathlib would be one more import


class Thread:
    """A thread of its own, without a loop, for a plain function."""

    prompt = ""
    number: int | None = None

    def submit(self, function: Callable[[], Any]) -> Callable[[], None]:
        """See `asyncconsole.repl.place.Place.submit`."""
        threading.Thread(target=function, name="asyncconsole-command", daemon=True).start()
        return lambda: None

    def close(self) -> None:
        """Nothing: it ends with the function."""


async def run(
    own: Own, target: ReplTarget, arguments: tuple[list[Any], dict[str, Any]], within: float
) -> Result:
    """Call a command of the program, and wait for what it returns.

    Args:
        own: The command.
        target: The program.
        arguments: By position, and by name.
        within: Seconds.

    Raises:
        CommandFailedError: It raised.
        DeadlineError: It was not done in time, and was told to stop.
        ConsoleError: It can't be run now.
    """
    _behind[:] = [call for call in _behind if call.outcome is None]
    if len(_behind) >= MOST_BEHIND:
        msg = (
            f"`{own.name}` was not begun: {MOST_BEHIND} calls of the program's commands have not "
            "ended although they were told to. `stacktrace` and `ps` show where they are."
        )
        raise ConsoleError(msg)
    try:
        place = await _place(own, target)
    except OSError as error:
        msg = f"`{own.name}` was not begun: no event loop can be made for it: {error}"
        raise ConsoleError(msg) from error
    try:
        return await _Waiting(own, target, place, arguments).run(within)
    finally:
        place.close()


def forked() -> None:
    """In a forked child: the calls that were left behind are not here."""
    _behind.clear()


async def _place(own: Own, target: ReplTarget) -> Place:
    """Where a command runs.

    Raises:
        ConsoleError: In the program's loop, and there is none.
    """
    if own.where == "console":
        return SideLoop(target) if inspect.iscoroutinefunction(own.function) else Thread()
    snapshot = await target.snapshot("loops")
    running = [loop.id for loop in snapshot.loops if loop.running]
    if not running:
        msg = f"`{own.name}` runs in the program's event loop, and none runs now."
        raise ConsoleError(msg)
    return ProgramLoop(target, running[0])


class _Waiting:
    """Somebody who waits for a call."""

    def __init__(
        self, own: Own, target: ReplTarget, place: Place, arguments: tuple[list[Any], Any]
    ) -> None:
        self._own = own
        self._target = target
        self._place = place
        self._loop = asyncio.get_running_loop()
        self._bell = asyncio.Event()
        self._call = Call(own, arguments, self._ring, awaits=not isinstance(place, Thread))

    def _ring(self) -> None:
        """Wake whoever waits; from any thread."""
        with contextlib.suppress(RuntimeError):  # the console's loop has closed
            self._loop.call_soon_threadsafe(self._bell.set)

    async def run(self, within: float) -> Result:
        began = time.monotonic()
        call = self._call
        try:
            withdraw = self._place.submit(call.begin)
        except RuntimeError as error:
            msg = f"`{self._own.name}` was not begun: {error}."
            raise ConsoleError(msg) from error
        try:
            outcome = await self._outcome(within)
            if outcome is None:
                raise DeadlineError(await self._late(time.monotonic() - began))
        finally:
            if call.outcome is None:
                if call.withdraw():
                    withdraw()
                else:
                    call.interrupt()
                    _behind.append(call)
        if outcome.plain is None:
            _note(self._own.name, outcome.trace)
            more = " `traceback` shows all of it." if outcome.trace else ""
            msg = f"`{self._own.name}` {outcome.error}.{more}"
            raise CommandFailedError(msg)
        return shown(self._own.name, outcome.plain)

    async def _outcome(self, seconds: float) -> Outcome | None:
        """What came of it; None when nothing has come of it yet."""
        timer = self._loop.call_later(seconds, self._bell.set)
        try:
            if self._call.outcome is None:
                await self._bell.wait()
        finally:
            timer.cancel()
        self._bell.clear()
        return self._call.outcome

    async def _late(self, seconds: float) -> str:
        """Stop it, and tell where it was in one line."""
        head = f"`{self._own.name}` was not done after {seconds:.1f} s"
        call, number = self._call, self._place.number
        if call.withdraw():
            where = trouble.describe(self._target, number) if number is not None else ""
            blocked = f"loop {number} is blocked{where}" if where else f"loop {number} was busy"
            return f"{head}: {blocked}, so it has not begun, and was taken back."
        ident = call.window.thread
        place = _thread_place(ident) if ident is not None else _task_place(call.task)
        does = f"it {'ran' if ident is not None else 'waited'}{place}"
        if ident is not None and number is not None:
            does += f" and kept loop {number} blocked"
        call.interrupt()
        if await self._outcome(ENDING) is not None:
            return f"{head}: {does}. It was stopped."
        if ident is not None and call.window.pending:
            return f"{head}: {does}. It is in a call that can't be stopped, and ends after that."
        return f"{head}: {does}. It was told to stop, and goes on all the same."


def _thread_place(ident: int) -> str:
    """`` at app.py:12 work``: where a thread is, in the program's code if it can be told."""
    has_gil = getattr(sys, "_is_gil_enabled", None)
    if has_gil is not None and not has_gil():
        return ""  # another thread's frame may only be read under the GIL
    frame = innermost = sys._current_frames().get(ident)  # noqa: SLF001 - the documented way to other threads' stacks
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    found = frame or innermost
    if found is None:
        return ""
    return f" at {_base(found.f_code.co_filename)}:{found.f_lineno} {found.f_code.co_name}"


def _task_place(task: Any) -> str:
    """`` at app.py:12 work``: where a task waits."""
    if task is None:
        return ""
    levels = walk(futures.coroutine(task)).levels
    mine = [level for level in levels if is_own(level.code.co_filename)]
    mine = mine or [level for level in levels if not ours(level.code.co_filename)]
    if not mine:
        return ""
    level = mine[-1]
    return f" at {_base(level.code.co_filename)}:{level.line} {level.code.co_name}"


def _note(name: str, trace: str) -> None:
    """Keep a traceback for whoever asks for it."""
    if trace:
        _traces.pop(name, None)
        _traces[name] = trace
        if len(_traces) > MOST_TRACES:
            _traces.popitem(last=False)


def last_trace(name: str | None) -> tuple[str, str] | None:
    """A command and the traceback of the last time it raised.

    Args:
        name: The command; None for the one that raised last.
    """
    if name is None:
        name = next(reversed(_traces), None)
    return (name, _traces[name]) if name is not None and name in _traces else None
