"""A program's own commands as commands of the console."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from asyncconsole.commands.command import Command, OptionParser, nearest
from asyncconsole.commands.port import ReplTarget
from asyncconsole.model import Result
from asyncconsole.own import call, registry
from asyncconsole.own.parameters import Parameter
from asyncconsole.own.registry import Own

GRACE = 2.0
"""Seconds beyond its deadline: for stopping it and saying where it was."""

_HASTE = 0.7
"""Of the time that a client waits, for the command itself."""

_made: dict[str, tuple[Own, Command]] = {}
_shipped: dict[str, Command] = {}


def register(command: Command) -> None:
    """Take in a command that a library made by hand.

    Raises:
        ValueError: One of its names is taken.
    """
    for name in (command.name, *command.aliases):
        if name in registry.built_in():
            msg = f"command `{name}`: that name is the console's own"
            raise ValueError(msg)
    _shipped[command.name] = command


def commands() -> dict[str, Command]:
    """Those that there are now, by name."""
    found = dict(_shipped)
    for name, own in list(registry.book.items()):
        known = _made.get(name)
        if known is None or known[0] is not own:
            known = _made[name] = (own, _adapted(own))
        found[name] = known[1]
    return found


def _adapted(own: Own) -> Command:
    async def run(target: ReplTarget, options: argparse.Namespace) -> Result:
        patience = options.within  # the client's, or the deadline below
        within = min(own.deadline, max(patience - GRACE, patience * _HASTE))
        return await call.run(own, target, _arguments(own, options), within)

    def configure(parser: argparse.ArgumentParser) -> None:
        for parameter in own.parameters:
            _add(parser, parameter)

    return Command(
        name=own.name,
        summary=own.summary,
        run=run,
        configure=configure,
        aliases=own.aliases,
        effect=own.effect,
        deadline=own.deadline + GRACE,
        living=True,
        group="own",
        about=(*own.about, _terms(own)),
    )


def _terms(own: Own) -> str:
    """Where it runs, and for how long."""
    if own.where == "program":
        where = "as a task in the program's event loop"
    else:
        where = "in a thread of its own"
    changes = " It changes the program." if own.effect == "write" else ""
    return f"A command of the program; runs {where}, for {own.deadline:g} s at most.{changes}"


def _add(parser: argparse.ArgumentParser, parameter: Parameter) -> None:
    """Add one parameter to a parser. Its value stands under a name that nothing else has."""
    how: dict[str, Any] = {"dest": _key(parameter), "help": parameter.help.replace("%", "%%")}
    if parameter.shape == "flag":
        how.update(action="store_const", const=not parameter.negative, default=parameter.default)
        parser.add_argument(parameter.option, **how)
        return
    how.update(metavar=_shown(parameter), type=_reader(parameter))
    if parameter.shape == "words":
        added = parser.add_argument(nargs="*", default=(), **how)
    elif parameter.shape == "option":
        how.update(required=parameter.required, default=_Default(parameter.default))
        added = parser.add_argument(parameter.option, **how)
    elif parameter.required:
        added = parser.add_argument(**how)
    else:
        added = parser.add_argument(nargs="?", default=_Default(parameter.default), **how)
    if isinstance(parser, OptionParser) and parameter.choices:
        parser.offers[added.dest] = parameter.choices


class _Default:
    """A default as it is: argparse reads those that are text as if they had been typed."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _key(parameter: Parameter) -> str:
    return f"own {parameter.name}"


def _shown(parameter: Parameter) -> str:
    """What stands for the value in a line of usage."""
    words = "{" + ",".join(parameter.choices) + "}"
    if parameter.choices and len(words) <= 40:  # noqa: PLR2004 - as much as reads well
        return words
    return parameter.name.strip("_").upper().replace("_", "-")


def _reader(parameter: Parameter) -> Callable[[str], Any]:
    """What argparse calls with a word."""

    def read(word: str) -> Any:
        try:
            return parameter.read(word)
        except ValueError:
            pass
        if not parameter.choices:
            msg = f"`{word[:60]}` is no {parameter.kind}"
            raise argparse.ArgumentTypeError(msg)
        guess = nearest(word, list(parameter.choices))
        hint = (
            f"the nearest is `{guess}`" if guess else f"it is one of {', '.join(parameter.choices)}"
        )
        msg = f"`{word[:60]}` is none of them; {hint}"
        raise argparse.ArgumentTypeError(msg)

    return read


def _arguments(own: Own, options: argparse.Namespace) -> tuple[list[Any], dict[str, Any]]:
    """What the function is called with."""
    words: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in own.parameters:
        value = getattr(options, _key(parameter))
        if isinstance(value, _Default):
            value = value.value
        if parameter.shape == "words":
            words += value
        elif parameter.named:
            named[parameter.name] = value
        else:
            words.append(value)
    return words, named
