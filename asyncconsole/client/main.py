"""The command line: ``asyncconsole SUBCOMMAND``."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from asyncconsole._version import __version__
from asyncconsole.client import screen
from asyncconsole.model.errors import ConsoleError, UsageError

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One word of the command line.

    Attributes:
        summary: One line for ``--help``.
        module: Where its ``configure(parser)`` and its function of the same name are.
    """

    summary: str
    module: str


SUBCOMMANDS = {
    "connect": Subcommand(
        "open a console of a running program, or run commands in it", "asyncconsole.client.connect"
    ),
    "ls": Subcommand("list live consoles", "asyncconsole.client.ls"),
    "run": Subcommand("run a program with the console on", "asyncconsole.launch.run"),
    "dump": Subcommand(
        "write a snapshot of a running program into a file", "asyncconsole.client.dump"
    ),
    "view": Subcommand("open such a file: the console's commands", "asyncconsole.client.view"),
    "diff": Subcommand("say what has moved between two such files", "asyncconsole.client.diff"),
    "check": Subcommand("say whether a program is healthy", "asyncconsole.client.check"),
    "top": Subcommand("live view of a program's tasks, locks and loops", "asyncconsole.client.top"),
    "guard": Subcommand(
        "watch a program from outside and tell when it freezes", "asyncconsole.client.guard"
    ),
    "demo": Subcommand("start a program that hangs and look at it", "asyncconsole.client.demo"),
    "completion": Subcommand(
        "print what a shell needs to complete this command line", "asyncconsole.client.completion"
    ),
    "man": Subcommand("print the manual page (`| man -l -`)", "asyncconsole.client.man"),
}

EPILOG = """exit codes: 0 done; 1 the command failed, or check found a deadlock or stall; 2 wrong
usage; 3 no such console or not reachable; 4 no answer in time; 130 Ctrl-C"""


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where the way out is."""
        name = self.prog.partition(" ")[2]
        words = f"{name}: {message}" if name else message
        msg = f"{words}. Try `{self.prog} --help`."
        raise UsageError(msg)


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        argv: Words after the program's name; None takes ``sys.argv``.

    Returns:
        The exit code (docs and ``--help`` list them). What a program under ``run`` raises,
        ``SystemExit`` among it, passes through.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    screen.plain_text(sys.stdout)
    screen.plain_text(sys.stderr)
    try:
        if words and words[0] == "run":
            start = _prepare_run(words[1:])
        else:
            return _dispatch(words)
    except ConsoleError as error:
        screen.complain(str(error))
        return error.exit_code
    except BrokenPipeError:
        screen.forget_stdout()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    start()  # outside: what the program raises is not ours
    return 0


def _dispatch(words: Sequence[str]) -> int:
    parser = _parser()
    if not words or words[0] in ("-h", "--help", "help"):
        if words:
            screen.write(parser.format_help())
            return 0
        msg = f"which subcommand? One of {', '.join(SUBCOMMANDS)}. Try `asyncconsole --help`."
        raise UsageError(msg)
    if words[0] in ("-V", "--version"):
        screen.write(f"asyncconsole {__version__}\n")
        return 0
    name = words[0]
    found = SUBCOMMANDS.get(name)
    if found is None:
        raise UsageError(_unknown(name))
    module = importlib.import_module(found.module)
    options = _options(name, found, module.configure, words[1:])
    if options is None:
        return 0
    function: Callable[[argparse.Namespace], int] = getattr(module, name)
    return function(options)


def _prepare_run(words: Sequence[str]) -> Callable[[], None]:
    """Everything of ``run`` that comes before the program."""
    from asyncconsole.launch import run  # noqa: PLC0415 - each subcommand loads its own

    ours, program = run.split(words)
    options = _options("run", SUBCOMMANDS["run"], run.configure, ours, usage=run.USAGE)
    if options is None:
        return lambda: None
    run.start(options, program)
    return program.run


def _options(
    name: str,
    found: Subcommand,
    configure: Callable[[argparse.ArgumentParser], None],
    words: Sequence[str],
    usage: str | None = None,
) -> argparse.Namespace | None:
    """The options in ``words``; None when help was asked for, and given.

    Raises:
        UsageError: With the nearest option when one is misspelt.
    """
    parser = parser_of(name, found.summary, configure, usage)
    if {"-h", "--help"} & set(words):
        screen.write(parser.format_help())
        return None
    options, rest = parser.parse_known_args(list(words))
    if rest:
        from asyncconsole.commands.command import unknown_option  # noqa: PLC0415 - on a mistake

        complaint = unknown_option(name, rest[0], parser)
        raise UsageError(complaint.replace(f"`help {name}`", f"`asyncconsole {name} --help`"))
    return options


def parser_of(
    name: str,
    summary: str,
    configure: Callable[[argparse.ArgumentParser], None],
    usage: str | None = None,
) -> Parser:
    """The parser of one subcommand."""
    parser = Parser(
        prog=f"asyncconsole {name}",
        usage=usage,
        description=summary,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this")
    configure(parser)
    return parser


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<11}{each.summary}" for name, each in SUBCOMMANDS.items())
    return Parser(
        prog="asyncconsole",
        usage="asyncconsole SUBCOMMAND [OPTIONS] | --version | --help",
        description=f"A console inside a running asyncio program.\n\nsubcommands:\n{listed}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )


def _unknown(word: str) -> str:
    from asyncconsole.commands.command import nearest  # noqa: PLC0415 - only on a mistake

    guess = nearest(word, list(SUBCOMMANDS))
    hint = f"Did you mean `{guess}`?" if guess else "`asyncconsole --help` lists them."
    return f"no subcommand `{word[:60]}`. {hint}"
