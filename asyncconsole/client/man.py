"""``asyncconsole man``: the manual page, from the same parsers as the command line."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator

from asyncconsole._version import __version__
from asyncconsole.client import screen
from asyncconsole.client.main import EPILOG, SUBCOMMANDS, parser_of
from asyncconsole.commands import dispatch, filters
from asyncconsole.commands.help import usage


def configure(_parser: argparse.ArgumentParser) -> None:
    """It has no options."""


def man(_options: argparse.Namespace) -> int:
    """Print it."""
    screen.write("".join(f"{line}\n" for line in page()))
    return 0


def page() -> Iterator[str]:
    """The page's lines, for ``man``."""
    yield f'.TH ASYNCCONSOLE 1 "" "asyncconsole {_plain(__version__)}" "User Commands"'
    yield ".SH NAME"
    yield "asyncconsole \\- a console inside a running asyncio program"
    yield ".SH SYNOPSIS"
    yield ".B asyncconsole\n.I SUBCOMMAND\n[OPTIONS]"
    yield ".SH DESCRIPTION"
    yield _plain(
        "Lists the tasks of a live program with their await stacks, says who holds each lock and "
        "who waits for it, proves deadlocks, catches what blocks the event loop, and cancels what "
        "is stuck; also while the program stands still."
    )
    yield ".SH SUBCOMMANDS"
    for name, each in SUBCOMMANDS.items():
        yield from _subcommand(name, each.summary, importlib.import_module(each.module))
    yield ".SH CONSOLE COMMANDS"
    yield 'Typed at the console\'s prompt, or given to\n.BR "asyncconsole connect -c" .'
    for command in dispatch.catalogue().values():
        yield f".TP\n.B {_plain(usage(command))}"
        also = f" Also: {', '.join(command.aliases)}." if command.aliases else ""
        yield _plain(command.summary + also)
    yield ".PP\nBehind a command, filters may stand:"
    for line in filters.helped():
        yield f".br\n{_plain('| ' + line)}"
    yield ".SH EXIT STATUS"
    yield _plain(" ".join(EPILOG.split()).partition(": ")[2] + ".")
    yield ".SH ENVIRONMENT"
    for name, what in _VARIABLES.items():
        yield f".TP\n.B {name}\n{_plain(what)}"
    yield ".SH SEE ALSO\n.BR telnet (1),\n.BR nc (1),\n.BR py-spy (1)"


_VARIABLES = {
    "ASYNCCONSOLE": "Set to 1, a program that has the package installed starts with a console.",
    "ASYNCCONSOLE_AUTH_FILE": "A private file with the token that a program's console wants. (Also "
    "ASYNCCONSOLE_AUTH, the token itself.)",
    "ASYNCCONSOLE_TLS_CERT, ASYNCCONSOLE_TLS_KEY": "Files for TLS on a program's port.",
    "ASYNCCONSOLE_EXTENSIONS": "Which entry points of libraries a console loads; off for none.",
    "ASYNCCONSOLE_TOKEN_FILE": "A private file with the token that a client shows to a guarded "
    "console. (Also ASYNCCONSOLE_TOKEN, the token itself.)",
    "NO_COLOR": "No escape codes.",
    "XDG_RUNTIME_DIR": "Where consoles leave word of themselves, and their Unix sockets.",
    "XDG_STATE_HOME": "Where typed lines are kept: asyncconsole/history.",
}


def _subcommand(name: str, summary: str, module: object) -> Iterator[str]:
    parser = parser_of(name, summary, module.configure, getattr(module, "USAGE", None))  # type: ignore[attr-defined]  # each subcommand's module has it
    words = " ".join(parser.format_usage().removeprefix("usage: ").split())
    yield f".SS {name}\n{_plain(summary[:1].upper() + summary[1:] + '.')}\n.PP\n{_plain(words)}"
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of options
        if not action.help or "--help" in action.option_strings:
            continue
        shown = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        if action.option_strings and action.nargs != 0:
            shown += f" {action.metavar or action.dest.upper()}"
        # As argparse's own help does: `%(default)g` and its like.
        told = action.help % {**vars(action), "prog": parser.prog}
        yield f".TP\n.B {_plain(shown)}\n{_plain(told)}"


def _plain(text: str) -> str:
    """Text that says nothing to ``man`` but itself."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
