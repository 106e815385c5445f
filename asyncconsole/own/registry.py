"""`command`: a program's functions as commands of its console.

Loads nothing that an asyncio program has not loaded anyway; the console reads `book` when a
client asks for something.
"""

from __future__ import annotations

import inspect
import os
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar, overload

from asyncconsole.commands import ALIASES, ROOM
from asyncconsole.own.parameters import Parameter, describe, parameters

Where = Literal["program", "console"]

LONGEST = 3600.0
"""Most seconds that a command may take."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Own:
    """One command of the program.

    Attributes:
        name: What people type.
        function: What it calls.
        parameters: What it takes.
        aliases: Other names.
        effect: ``write`` when it changes the program.
        where: ``program`` for the program's event loop, ``console`` for a thread of the console.
        deadline: Seconds after which it is stopped.
        summary: One line.
        about: More lines.
    """

    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    aliases: tuple[str, ...]
    effect: Literal["read", "write"]
    where: Where
    deadline: float
    summary: str
    about: tuple[str, ...]


book: dict[str, Own] = {}
"""The program's commands by their names."""


@overload
def command(function: F, /) -> F: ...
@overload
def command(
    name: str | None = None,
    *,
    aliases: Sequence[str] = (),
    effect: Literal["read", "write"] = "read",
    where: Where | None = None,
    deadline: float = 10.0,
) -> Callable[[F], F]: ...
def command(
    name: Any = None,
    *,
    aliases: Sequence[str] = (),
    effect: Literal["read", "write"] = "read",
    where: Where | None = None,
    deadline: float = 10.0,
) -> Any:
    """Make a function a command of the console.

    Use it bare, ``@command``, or with options, ``@command("reload", effect="write")``, before
    or after the console has started. The function stays as it is. A function that is decorated
    again, because its module is loaded again, takes the place of the earlier one.

    Its parameters become what people type: those that can be given by position are words,
    keyword-only ones are ``--options``, ``bool`` ones are flags. They are ``str``, ``int``,
    ``float``, ``bool``, a ``Literal``, an ``Enum``, or one of these or None. The docstring
    is its help. What it returns is the answer: text, a dict, or a list of dicts for a table.

    Args:
        name: What people type; the function's name with dashes when it is not given.
        aliases: Other names.
        effect: ``write`` when it changes the program: read-only consoles refuse it then, and
            the audit log tells who ran it.
        where: ``program`` runs it in the program's event loop, the first one if there are
            several: for coroutine functions unless said otherwise, and for plain ones that
            touch what asyncio's other tasks use. ``console`` runs it in a thread of its own,
            a coroutine function with a loop of its own: for plain functions unless said
            otherwise, so that one that blocks stops nobody.
        deadline: Seconds after which it is stopped, and the answer says where it was.

    Raises:
        ValueError: The name is taken, or a parameter can't be typed; the message says what to do.
    """
    if callable(name):
        _add(name, None, tuple(aliases), effect, where, deadline)
        return name

    def decorate(function: F) -> F:
        _add(function, name, tuple(aliases), effect, where, deadline)
        return function

    return decorate


def _add(
    function: Callable[..., Any],
    name: str | None,
    aliases: tuple[str, ...],
    effect: Literal["read", "write"],
    where: Where | None,
    deadline: float,
) -> None:
    if name is None:
        name = str(getattr(function, "__name__", "")).strip("_").replace("_", "-")
    _check_options(name, effect, where, deadline)
    for word in (name, *aliases):
        _check_name(word, name, function)
    if inspect.isasyncgenfunction(function):
        msg = f"command `{name}`: it gives an async generator; return a list of what that yields."
        raise ValueError(msg)
    if where is None:
        where = "program" if inspect.iscoroutinefunction(function) else "console"
    summary, about, helps = describe(function)
    own = Own(
        name,
        function,
        parameters(name, function, helps),
        aliases,
        effect,
        where,
        float(deadline),
        summary or f"a command of {function.__module__}",
        about,
    )
    book[name] = own


def _check_options(name: str, effect: object, where: object, deadline: object) -> None:
    """Refuse what can't be meant.

    Raises:
        ValueError: Which is wrong, and what to give.
    """
    if effect not in ("read", "write"):
        msg = f'command `{name}`: effect={effect!r}: give "read" or "write".'
        raise ValueError(msg)
    if where not in (None, "program", "console"):
        msg = f'command `{name}`: where={where!r}: give "program" or "console".'
        raise ValueError(msg)
    if not isinstance(deadline, int | float) or not 0 < deadline <= LONGEST:
        msg = f"command `{name}`: deadline={deadline!r}: give seconds, up to {LONGEST:g}."
        raise ValueError(msg)


def _check_name(word: str, name: str, function: Callable[..., Any]) -> None:
    """Refuse a name that nobody can type, or that means something else.

    Raises:
        ValueError: What to do about it.
    """
    if not isinstance(word, str) or not _NAME.fullmatch(word):
        msg = f"command `{word}`: a name has letters, digits and dashes: give another one."
        raise ValueError(msg)
    if word in built_in():
        msg = (
            f"command `{word}`: that name is the console's own. Give another one: "
            f'@command("my-{word}").'
        )
        raise ValueError(msg)
    for other in tuple(book.values()):
        if word in (other.name, *other.aliases) and not (
            other.name == name and _same(other.function, function)
        ):
            msg = (
                f"command `{word}`: {_home(other.function)} has that name already. Give another "
                f'one: @command("other-{word}").'
            )
            raise ValueError(msg)


@cache
def built_in() -> frozenset[str]:
    """Names and aliases of the console's own commands, without loading them."""
    folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), "commands")  # noqa: PTH118, PTH120 - pathlib would be one more import
    files = {module.name for module in pkgutil.iter_modules([folder])} - ROOM
    return frozenset({file.replace("_", "-") for file in files} | ALIASES)


def _same(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Whether a function is another one loaded again: of the same module or file."""
    return _places(one) & _places(other) != set()


def _places(function: Callable[..., Any]) -> set[str]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return {str(getattr(function, "__module__", "")), str(getattr(code, "co_filename", ""))} - {""}


def _home(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', '?')}"
