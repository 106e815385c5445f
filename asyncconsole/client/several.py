"""Commands on several consoles at once, with one answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from asyncconsole.client import ask, consoles, screen
from asyncconsole.client.address import Address
from asyncconsole.client.wire import Manner, open_wire
from asyncconsole.model.errors import ConsoleError, TargetMissingError

SCHEMA = "asyncconsole/merged/1"
AT_ONCE = 32
"""Consoles that are asked at the same time."""


@dataclass(slots=True)
class Said:
    """What one console answered.

    Attributes:
        what: What it is called in messages.
        place: Its address; "" where there is none.
        pid: Its process, when known.
        program: What runs there.
        text: All its output.
        answers: Of each command its line, exit code, complaint and document.
        code: The first exit code that is not 0.
        error: Why nothing (more) came, "" when all did.
    """

    what: str
    place: str
    pid: int | None
    program: str
    text: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    code: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A console that was named and is not there, and why."""

    name: str
    error: ConsoleError


def addresses(targets: Sequence[str], *, every: bool) -> list[Address | Missing]:
    """The consoles that are meant, each once.

    Raises:
        TargetMissingError: All are meant, and there is none.
    """
    found = [_address(target) for target in targets]
    if every:
        found += [consoles.address_of(record) for record in consoles.live()]
    if not found:
        msg = "no live console. Start a program with one: `asyncconsole run app.py`."
        raise TargetMissingError(msg)
    return list(dict.fromkeys(found))


def _address(target: str) -> Address | Missing:
    try:
        return consoles.find(target)
    except TargetMissingError as error:
        return Missing(target, error)


def run(
    found: Sequence[Address | Missing],
    commands: Sequence[str],
    *,
    as_json: bool,
    timeout: float,
    token: str | None,
) -> int:
    """Ask all of them at the same time, and tell what each said, in their order.

    Args:
        found: The consoles.
        commands: Lines.
        as_json: One document of all answers instead of text.
        timeout: Seconds that each command gets.
        token: For those that want one.

    Returns:
        The first exit code that is not 0. One that can't be reached keeps nobody else from
        answering.
    """
    colour = screen.colour(sys.stdout) and not as_json
    manner = Manner(width=screen.width(sys.stdout), colour=colour, token=token)

    def one(address: Address | Missing) -> Said:
        if isinstance(address, Missing):
            error = address.error
            return Said(address.name, "", None, "?", code=error.exit_code, error=str(error))
        return _asked(address, commands, manner, timeout, as_json=as_json)

    with ThreadPoolExecutor(min(AT_ONCE, len(found))) as pool:
        said = list(pool.map(one, found))
    if as_json:
        screen.write(json.dumps(_document(said)) + "\n")
    else:
        for number, each in enumerate(said):
            screen.write(("\n" if number else "") + f"== {each.program} · {each.what}\n")
            screen.write(each.text)
            if each.error:
                screen.complain(f"{each.what}: {each.error}")
    return next((each.code for each in said if each.code), 0)


def _asked(
    address: Address, commands: Sequence[str], manner: Manner, timeout: float, *, as_json: bool
) -> Said:
    """Run all commands on one console; whatever goes wrong is part of what it said."""
    record = consoles.record_of(address)
    program = consoles.program(record) if record is not None else "?"
    said = Said(address.what, str(address), address.pid, program)
    try:
        with open_wire(address, manner, timeout) as wire:
            said.program = wire.hello.program or said.program
            for command in commands:
                out: list[str] = []
                errors: list[str] = []
                line = ask.as_json(command) if as_json else command
                code = ask.run(wire, line, timeout, out=out.append, error=errors.append)
                said.code = said.code or code
                said.error = said.error or "; ".join(errors)
                said.text += "".join(out)
                said.answers.append(
                    {
                        "command": command,
                        "code": code,
                        "error": "; ".join(errors) or None,
                        "document": _parsed("".join(out)) if as_json else None,
                    }
                )
    except ConsoleError as error:
        said.error = said.error or str(error)
        said.code = said.code or error.exit_code
    return said


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _document(said: Sequence[Said]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "targets": [
            {
                "pid": each.pid,
                "address": each.place or None,
                "program": each.program,
                "code": each.code,
                "error": each.error or None,
                "answers": each.answers,
            }
            for each in said
        ],
    }
