"""One typed line: found, allowed, run within its deadline, and put into words."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from typing import Any

from asyncconsole.commands import dispatch, filters
from asyncconsole.commands.live import Looks
from asyncconsole.commands.port import Kept, Recorded, Target, Terminal
from asyncconsole.model import ConsoleError, DeadlineError, Result, Text, UsageError
from asyncconsole.serve import journal
from asyncconsole.serve.looks import late
from asyncconsole.serve.pace import brisk
from asyncconsole.serve.patience import forget
from asyncconsole.serve.rules import Rules

_SLICE = 64 * 1024
"""Characters that are written before the client must have taken most of them."""

_GRACE = 1.0
"""Seconds for a command to notice that it was stopped."""

_PARTING = 0.3
"""Seconds for one that has the terminal to give it back, when the console closes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a line.

    Attributes:
        text: For the person; ends in a newline unless empty.
        error: One line, "" when it went well.
        code: Exit code for a client: 0, 1, 2 or 4.
        leave: True when the session is to end.
    """

    text: str = ""
    error: str = ""
    code: int = 0
    leave: bool = False


class InterruptedCommandError(Exception):
    """Ctrl-C ended the command."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a command is run for.

    Attributes:
        name: The peer, for the audit log.
        terminal: Its end of the session.
        lost: Set when it can't be reached any more.
        looks: Shared with others who watch the program.
    """

    name: str
    terminal: Terminal
    lost: asyncio.Event
    looks: Looks


async def perform(
    line: str, target: Target, person: Person, rules: Rules, timeout: float | None = None
) -> Answer:
    """Run one line; every error becomes part of the answer.

    Args:
        line: What was typed.
        target: The program.
        person: Who typed it.
        rules: What is allowed.
        timeout: Seconds the client wants to wait, instead of the command's deadline.

    Raises:
        InterruptedCommandError: Ctrl-C.
    """
    from asyncconsole.commands.exit import Leave  # noqa: PLC0415 - commands load with the first one

    try:
        call = dispatch.parse(line)
        if call is None:
            return Answer()
        _allow(call, target, person, rules)
        plan = call.command.plan
        if plan is not None:
            began = time.monotonic()
            if not await _agreed(call, target, person, timeout, plan):
                return Answer("Nothing was done.\n", code=1)
            if timeout is not None:  # a script's, so nobody was asked
                timeout = max(0.0, timeout - (time.monotonic() - began))
        call.options.keep = _keep
        # Filters want all there is, and not only what fits a screen.
        human = person.terminal.interactive or person.terminal.colour
        call.options.person = human and not call.filters
        if call.changes:
            result = await _audited(call, target, person, timeout)
        else:
            result = await _run(call, target, person, timeout, call.command.run)
        shown = "" if result.passed else await _shown(result, person.terminal, json=call.json)
        return Answer(shown, code=result.exit_code)
    except Leave:
        return Answer(leave=True)
    except ConsoleError as error:
        return Answer(error=_one_line(str(error)), code=error.exit_code)
    except (InterruptedCommandError, asyncio.CancelledError):
        raise
    except Exception as error:
        if isinstance(target, Recorded):
            why = _one_line(f"{type(error).__name__}: {str(error)[:200]}")
            return Answer(error=f"That can't be told from this dump: {why}", code=1)
        failed = _one_line(line[:200])
        journal.note(journal.log, logging.ERROR, "`%s` failed", failed, exc_info=error)
        return Answer(
            error=f"That is a defect of asyncconsole, not of the program: "
            f"{type(error).__name__}: {str(error)[:200]} (the program's log has the traceback)",
            code=1,
        )


def _one_line(text: str) -> str:
    """For a terminal or a log: a client must not write lines of its own into them."""
    from asyncconsole.render.width import clean  # noqa: PLC0415 - with the first client

    return clean(" ".join(text.split()))


async def _audited(
    call: dispatch.Call, target: Target, person: Person, timeout: float | None
) -> Any:
    """Run a command that changes the program; the log says so before, and what came of it."""
    said = _one_line(call.line[:500])
    await journal.record("%s ran: %s", person.name, said)
    outcome = "interrupted"
    try:
        result = await _run(call, target, person, timeout, call.command.run)
        outcome = f"exit code {result.exit_code}"
    except Exception as error:
        if not isinstance(error, InterruptedCommandError):
            outcome = _one_line(f"{type(error).__name__}: {error}"[:500])
        raise
    else:
        return result
    finally:
        journal.note(journal.audit, logging.WARNING, "%s ended: %s: %s", person.name, said, outcome)


def _allow(call: dispatch.Call, target: Target, person: Person, rules: Rules) -> None:
    command = call.command
    opens_repl = command.name == "console"
    if isinstance(target, Recorded) and (command.living or call.changes):
        raise target.refusal(f"`{command.name}`")
    if rules.read_only and (call.changes or opens_repl):
        does = "runs code in" if opens_repl else "changes"
        msg = (
            f"`{command.name}` {does} the program, and this console is read-only. "
            "Start it with read_only=False."
        )
        said = _one_line(call.line[:500])
        journal.note(journal.audit, logging.WARNING, "%s was refused: %s", person.name, said)
        raise ConsoleError(msg)
    if opens_repl and not rules.repl:
        msg = "This console was started without a REPL. Start it with repl=True."
        raise ConsoleError(msg)
    if command.interactive and not (person.terminal.interactive or command.unattended):
        msg = f"`{command.name}` needs a session: `asyncconsole connect` without -c."
        raise UsageError(msg)


async def _agreed(
    call: dispatch.Call,
    target: Target,
    person: Person,
    timeout: float | None,
    plan: Callable[..., Any],
) -> bool:
    """Have a command say what it would do, and ask the person at the terminal about it."""
    options = call.options
    terminal = person.terminal
    options.plan = await _run(call, target, person, timeout, plan)
    options.asked = terminal.interactive and not options.yes
    if options.asked:
        said = Result({}, (Text(options.plan.lines),))
        terminal.write(await _shown(said, terminal, json=False))
        try:
            answer = await terminal.read_line("Go on? [y/N] ")
        except KeyboardInterrupt:
            raise InterruptedCommandError from None
        except EOFError:
            return False
        return answer.strip().lower() in {"y", "yes"}
    return True


async def _run(
    call: dispatch.Call,
    target: Target,
    person: Person,
    timeout: float | None,
    run: Callable[..., Any],
) -> Any:
    """Run a command (or its plan) as a task that Ctrl-C, time and a lost client can end."""
    command = call.command
    terminal = person.terminal
    began = time.thread_time()
    if command.interactive:
        work = _contained(run, target, call.options, terminal)
        limit = None
        call.options.looks = person.looks
        call.options.within = timeout
    else:
        work = _contained(_whole, run, call, target, person)
        wait = getattr(call.options, "wait", None)
        extra = float(wait) if isinstance(wait, int | float) else 0.0
        limit = command.deadline + extra if timeout is None else timeout
        call.options.within = limit
    # Not around a whole REPL session: nobody waits for an answer at its prompt.
    with nullcontext() if command.interactive else brisk():
        task = asyncio.ensure_future(work)
        lost = asyncio.ensure_future(person.lost.wait())
        interrupted = False

        def interrupt() -> None:
            nonlocal interrupted
            interrupted = True
            task.cancel()

        if not command.interactive:
            terminal.on_interrupt(interrupt)
        try:
            await asyncio.wait({task, lost}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=_GRACE)
        finally:
            terminal.on_interrupt(None)
            lost.cancel()
            task.cancel()
            task.add_done_callback(forget)
            if command.interactive and not task.done():
                await asyncio.wait({task}, timeout=_PARTING)
    if task.done() and not task.cancelled():
        return task.result()
    if interrupted:
        raise InterruptedCommandError
    if person.lost.is_set():
        msg = "the client has left"
        raise ConsoleError(msg)
    worked = time.thread_time() - began
    raise DeadlineError(late(call.command.name, limit or 0.0, target, worked))


async def _whole(
    run: Callable[..., Any], call: dispatch.Call, target: Target, person: Person
) -> Any:
    """Run a command; an answer in parts is written as it is read."""
    result = await run(target, call.options)
    if not isinstance(result, Result):
        return result
    if call.filters:
        if result.stream is not None:
            msg = (
                f"What `{call.command.name}` sends can't be filtered: leave out what is behind `|`."
            )
            raise UsageError(msg)
        return await filters.applied(result, call.filters)
    if result.stream is not None:
        await _pour(result.stream, person)
    elif result.flow is not None:
        from asyncconsole.render import flow  # noqa: PLC0415 - loads with the first answer

        terminal = person.terminal
        pieces = flow(result.flow, json=call.json, width=terminal.width, colour=terminal.colour)
        async with aclosing(result.flow.parts):  # type: ignore[type-var]  # a generator
            await _pour(pieces, person)
    return result


async def _pour(pieces: AsyncIterator[str], person: Person) -> None:
    """Write what comes, each slice after the client has taken most of the one before."""
    async with aclosing(pieces):  # type: ignore[type-var]  # a generator
        async for piece in pieces:
            for start in range(0, len(piece), _SLICE):
                if person.lost.is_set():
                    return
                person.terminal.write(piece[start : start + _SLICE])
                await person.terminal.drain()


async def _contained(run: Callable[..., Any], *args: Any) -> Any:
    """Await a command and let nothing out that would stop the console's loop."""
    try:
        result = await run(*args)
    except KeyboardInterrupt:
        raise InterruptedCommandError from None
    except SystemExit as error:
        msg = "SystemExit was raised and kept from ending anything."
        raise ConsoleError(msg) from error
    return result


async def _keep(pieces: AsyncIterator[str], path: str | None, name: str) -> Kept:
    """See `asyncconsole.commands.port.Keep`."""
    from asyncconsole.serve import shelf  # noqa: PLC0415 - few dumps go into files

    return await shelf.keep(pieces, path, name)


async def _shown(result: Result, terminal: Terminal, *, json: bool) -> str:
    from asyncconsole.render import show  # noqa: PLC0415 - loads with the first answer

    return show(result, json=json, width=terminal.width, colour=terminal.colour)
