"""What a command is: a name, options, an effect, and a function from options to a result."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from asyncconsole.model import Line, Result, UsageError

Effect = Literal["read", "write"]


class OptionParser(argparse.ArgumentParser):
    """argparse that raises `UsageError` and never prints, exits or reads ``sys.argv``."""

    def __init__(self, name: str, *, json: bool = True) -> None:
        self.offers: dict[str, tuple[str, ...]] = {}  # words to complete with, by an action's dest
        super().__init__(prog=name, add_help=False, allow_abbrev=False)
        if json:
            self.add_argument("--json", action="store_true", help="one JSON document")

    def error(self, message: str) -> NoReturn:
        """Turn argparse's complaint into one line that names the way out."""
        msg = f"{self.prog}: {message}. Try `help {self.prog}`."
        raise UsageError(msg)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Never end the process."""
        raise UsageError(message or f"{self.prog}: stopped with {status}")


def _no_options(_parser: argparse.ArgumentParser) -> None:
    """The options of a command that has none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command is about to do.

    Attributes:
        lines: The same in words; a person is shown them and asked.
        facts: What ``run`` needs again, as ``options.plan.facts``.
    """

    lines: tuple[Line, ...]
    facts: Any


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the console. A file in ``commands/`` binds one to ``COMMAND``.

    Attributes:
        name: What people type.
        summary: One line for ``help``.
        run: ``await run(target, options)`` gives a `Result`. For ``interactive``
            commands it is ``await run(target, options, terminal)``.
        configure: Adds the options. An argument with ``metavar="TASK"`` or
            ``metavar="LOCK"`` is completed with names and ids.
        aliases: Other names.
        effect: ``write`` when it changes the program; read-only consoles refuse it.
        asks: With these options a ``write`` command changes nothing, and is allowed anyway.
        plan: ``await plan(target, options)`` gives a `Plan` and changes nothing. At a
            terminal it is shown and a person must agree, unless they said ``--yes``
            (which such a command has by itself), before ``run`` is called;
            ``options.asked`` is true then.
        deadline: Seconds after which the session gives up and says so.
        interactive: True when it needs the terminal itself.
        living: True when it means nothing for a program as it was; one that changes the
            program never does.
        unattended: An interactive command that a script can use, too.
        carries: The rest of its line is another command, filters and all; then
            ``options.behind`` has the filters.
        group: Heading in ``help``.
        about: More lines for ``help COMMAND``.
    """

    name: str
    summary: str
    run: Callable[..., Awaitable[Result]]
    configure: Callable[[argparse.ArgumentParser], None] = _no_options
    aliases: tuple[str, ...] = ()
    effect: Effect = "read"
    asks: Callable[[argparse.Namespace], bool] = lambda _options: False
    plan: Callable[..., Awaitable[Plan]] | None = None
    deadline: float = 10.0
    interactive: bool = False
    living: bool = False
    unattended: bool = False
    carries: bool = False
    group: str = "look"
    examples: tuple[str, ...] = field(default=())
    about: tuple[str, ...] = ()
    # Here and not in a cache of all commands: a program's own one must be free to go.
    _kept: list[OptionParser] = field(default_factory=list, init=False, repr=False, compare=False)

    def parser(self) -> OptionParser:
        """The parser of this command's options; kept, as making one costs more than parsing."""
        if not self._kept:
            parser = OptionParser(self.name)
            self.configure(parser)
            if self.plan is not None:
                parser.add_argument("--yes", "-y", action="store_true", help="don't ask first")
            self._kept.append(parser)
        return self._kept[0]

    def parse(self, words: list[str]) -> argparse.Namespace:
        """Options from words.

        Raises:
            UsageError: with the nearest option when one is misspelt.
        """
        parser = self.parser()
        options, rest = parser.parse_known_args(words)
        if rest:
            raise UsageError(unknown_option(self.name, rest[0], parser))
        return options


def nearest(word: str, choices: list[str]) -> str | None:
    """The choice most like ``word``, or None when nothing is near."""
    import difflib  # noqa: PLC0415 - only on a mistake

    found = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return found[0] if found else None


def unknown_option(command: str, word: str, parser: argparse.ArgumentParser) -> str:
    """The line for an option or argument that ``command`` doesn't take."""
    options = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001
    if not word.startswith("-"):
        return f"{command}: don't know what to do with `{word}`. Try `help {command}`."
    guess = nearest(word.split("=", maxsplit=1)[0], options)
    hint = f"Did you mean `{guess}`?" if guess else f"Try `help {command}`."
    return f"{command}: no option `{word}`. {hint}"
