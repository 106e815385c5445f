"""Running commands over a wire: for a script's eyes, or for a document."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from asyncconsole.client.address import Address
from asyncconsole.client.wire import GoneError, Manner, Onlooker, Wire, open_wire
from asyncconsole.model.errors import ConsoleError

DEFAULT_TIMEOUT = 10.0  # seconds


class LeftError(GoneError):
    """The console said goodbye, as ``exit`` asks it to."""


def run(
    wire: Wire,
    command: str,
    timeout: float | None,
    *,
    out: Callable[[str], None],
    error: Callable[[str], None],
    lines: Iterator[str] | None = None,
    endless: bool = False,
) -> int:
    """Run one command to its end.

    Args:
        wire: A session that is not interactive.
        command: The line.
        timeout: Seconds for the whole answer; None waits for ever.
        out: Takes the text for stdout, piece by piece.
        error: Takes one line for stderr.
        lines: Answers to what the command asks; when they end, it gets an end of file.
        endless: An answer may go on for ever (``watch``): the timeout is for each part of it.

    Returns:
        The command's exit code.

    Raises:
        DeadlineError: It did not end in time.
        GoneError: The session ended before it.
    """
    question: dict[str, Any] = {"run": command}
    deadline = every = None
    if timeout is not None:
        deadline = time.monotonic() + timeout
        # The console is given a little less, so that its own words on why it is late arrive.
        question["timeout"] = round(timeout - min(0.5, timeout / 5), 3)
    wire.send(question, deadline)
    while True:
        message = wire.receive(deadline)
        every = message.get("every", every)
        if endless and timeout is not None and isinstance(every, int | float):
            deadline = time.monotonic() + timeout + every
        if "out" in message:
            out(str(message["out"]))
        elif "error" in message:
            error(str(message["error"]))
        elif "prompt" in message:
            answer = next(lines, None) if lines else None
            wire.send({"eof": True} if answer is None else {"line": answer}, deadline)
        elif "done" in message:
            code = message["done"]
            return code if isinstance(code, int) else 1
        elif "bye" in message:
            raise LeftError(str(message["bye"] or f"{wire.address.what} said goodbye"))


def as_json(command: str) -> str:
    """The command that answers with one JSON document."""
    if "--json" in command.split():
        return command
    from asyncconsole.commands.filters import split  # noqa: PLC0415 - few clients need commands

    before, *behind = split(command)  # what is wrong with filters, the console says
    return "|".join([f"{before.rstrip()} --json", *behind])


def document(wire: Wire, command: str, timeout: float | None) -> dict[str, Any]:
    """A command's JSON document.

    Raises:
        ConsoleError: The command failed, or did not answer with a document.
    """
    pieces: list[str] = []
    errors: list[str] = []
    code = run(wire, as_json(command), timeout, out=pieces.append, error=errors.append)
    try:
        found = json.loads("".join(pieces))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        why = "; ".join(errors) or f"exit code {code}, and no document"
        msg = f"{wire.address.what}: `{command}`: {why}"
        failed = ConsoleError(msg)
        failed.exit_code = code or 1
        raise failed
    return found


def ask(
    address: Address,
    command: str,
    timeout: float,
    token: str | None = None,
    onlooker: Onlooker | None = None,
) -> dict[str, Any]:
    """One command's document from a console, in at most ``timeout`` seconds.

    Raises:
        ConsoleError: No console, no answer, or no document.
    """
    end = time.monotonic() + timeout
    with open_wire(address, Manner(token=token), timeout, onlooker) as wire:
        return document(wire, command, max(0.05, end - time.monotonic()))
