"""Which command a line means: discovery, aliases, nearest match, completion."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from asyncconsole import commands
from asyncconsole.commands import filters
from asyncconsole.commands.command import Command, OptionParser, nearest
from asyncconsole.model import Snapshot, UsageError
from asyncconsole.own import adapter


@cache
def catalogue() -> dict[str, Command]:
    """Every command of the console by its name: one file in this folder each."""
    found = {}
    for module in pkgutil.iter_modules(commands.__path__):
        if module.name in commands.ROOM:
            continue
        command: Command = importlib.import_module(f"{commands.__name__}.{module.name}").COMMAND
        found[command.name] = command
    return dict(sorted(found.items()))


@cache
def _built_in() -> dict[str, Command]:
    """Those by each of their names."""
    return dict(_named(catalogue().values()))


def names() -> dict[str, Command]:
    """Every command by each of its names, the program's own ones too."""
    return {**dict(_named(adapter.commands().values())), **_built_in()}


def _named(listed: Iterable[Command]) -> Iterator[tuple[str, Command]]:
    for command in listed:
        for name in (command.name, *command.aliases):
            yield name, command


def find(word: str) -> Command:
    """The command called ``word``.

    Raises:
        UsageError: with the nearest command.
    """
    command = names().get(word)
    if command is None:
        guess = nearest(word, list(names()))
        hint = f"Did you mean `{guess}`?" if guess else "`help` lists them."
        msg = f"No command `{word[:60]}`. {hint}"
        raise UsageError(msg)
    return command


@dataclass(frozen=True, slots=True)
class Call:
    """A parsed line: a command and its options, and what its answer passes through."""

    command: Command
    options: argparse.Namespace
    line: str
    filters: tuple[filters.Filter, ...] = ()

    @property
    def json(self) -> bool:
        """True when the answer is to be one JSON document."""
        return bool(self.options.json)

    @property
    def changes(self) -> bool:
        """True when it changes the program."""
        return self.command.effect == "write" and not self.command.asks(self.options)


def parse(line: str) -> Call | None:
    """The command that ``line`` means; None for an empty line.

    Raises:
        UsageError: The line names no command or wrong options.
    """
    try:
        parts = filters.split(line)
        words, *behind = [shlex.split(part) for part in parts]
    except ValueError as broken:
        msg = f"Can't read that line: {str(broken).lower()}. Close the quote, or quote it whole."
        raise UsageError(msg) from None
    if not words:
        if behind:
            msg = "A command must stand before `|`. `help` lists them."
            raise UsageError(msg)
        return None
    command = find(words[0])
    if command.carries:
        options = command.parse(words[1:])
        options.behind = "".join(f" |{part}" for part in parts[1:])
        return Call(command, options, line)
    call = Call(command, command.parse(words[1:]), line, tuple(map(filters.find, behind)))
    if call.filters and (call.json or command.interactive):
        what = "A document" if call.json else f"`{command.name}`"
        msg = f"{what} can't be filtered here: leave out what stands behind `|`."
        raise UsageError(msg)
    return call


def complete(line: str, snapshot: Snapshot | None) -> tuple[int, Sequence[str]]:
    """What could stand at the end of ``line``.

    Args:
        line: The text before the cursor.
        snapshot: For names and ids; None when there is none at hand.

    Returns:
        How many characters of ``line`` the candidates replace, and the candidates.
    """
    _, *behind = filters.split(line)
    head, _, word = (behind[-1] if behind else line).rpartition(" ")
    if behind:
        known = filters.NAMES if not head.strip() else ()
        return len(word), [name for name in known if name.startswith(word)]
    if not head.strip():
        return len(word), [name for name in names() if name.startswith(word)]
    command = names().get(head.split()[0])
    if command is None:
        return 0, []
    parser = command.parser()
    actions = parser._actions  # noqa: SLF001 - argparse has no public list of options
    if command.carries and (carried := line.split(None, 2)[2:]):
        return complete(carried[0], snapshot)  # `watch 1 where tra`
    before = head.split()[-1]
    option = next((action for action in actions if before in action.option_strings), None)
    if option is not None and option.nargs != 0:  # its value
        choices = _values(option, snapshot, parser)
    elif word.startswith("-"):
        choices = [option for action in actions for option in action.option_strings]
    else:
        choices = []
        for action in actions:
            if not action.option_strings:
                choices += _values(action, snapshot, parser)
    # A name that must stand in quotes is found by its first letters, too.
    return len(word), [one for one in choices if one.startswith((word, f"'{word}"))]


def _quoted(name: str) -> str:
    """A name as it is to be typed: as it is, where that is read as one word."""
    try:
        plain = shlex.split(name) == [name] and "|" not in name
    except ValueError:
        plain = False
    return name if plain else shlex.quote(name)


def _values(action: argparse.Action, snapshot: Snapshot | None, parser: OptionParser) -> list[str]:
    """Values for one argument."""
    if action.metavar == "COMMAND":
        return list(names())
    if action.dest in parser.offers:
        return list(parser.offers[action.dest])
    if action.choices:
        return [str(choice) for choice in action.choices]
    if snapshot is None:
        return []
    if action.metavar == "TASK":
        found = [_quoted(task.name) for task in snapshot.tasks]
        return [*found, *(str(task.id) for task in snapshot.tasks)]
    if action.metavar == "LOCK":
        found = [_quoted(item.name) for item in snapshot.resources]
        return [*found, *(item.id for item in snapshot.resources)]
    return []
