"""``asyncconsole completion``: the command line completed by a shell, from our own parsers.

A shell's script is a few lines that ask this module; so it knows what is there now: live
consoles, and the commands of the console.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence

from asyncconsole.client import consoles, screen
from asyncconsole.client.main import SUBCOMMANDS, Parser, parser_of
from asyncconsole.model.errors import UsageError

SCRIPTS = {
    "bash": """_asyncconsole() {
    local IFS=$'\\n'
    COMPREPLY=($(printf '%s\\n' "${COMP_WORDS[@]:1:COMP_CWORD}" |
        "${COMP_WORDS[0]}" completion --candidates 2>/dev/null))
}
complete -o default -F _asyncconsole asyncconsole
""",
    "zsh": """#compdef asyncconsole
_asyncconsole() {
    local -a found
    found=("${(@f)$(printf '%s\\n' "${(@)words[2,CURRENT]}" |
        "${words[1]}" completion --candidates 2>/dev/null)}")
    if [[ -n "${found[*]}" ]]; then compadd -- "${found[@]}"; else _files; fi
}
compdef _asyncconsole asyncconsole
""",
    "fish": """function __asyncconsole
    set -l before (commandline -opc)
    set -l found (printf '%s\\n' $before[2..-1] (commandline -ct | string collect --allow-empty) |
        $before[1] completion --candidates 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c asyncconsole -f -a '(__asyncconsole)'
""",
}

LONGEST = 1 << 16
"""Characters of a command line that are read."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("shell", metavar="SHELL", nargs="?", choices=tuple(SCRIPTS))
    parser.add_argument(
        "--candidates",
        action="store_true",
        help="what could stand as the last of the words on stdin (for the shells' scripts)",
    )


def completion(options: argparse.Namespace) -> int:
    """Print a shell's script, or candidates.

    Raises:
        UsageError: No shell is named.
    """
    if options.candidates:
        words = sys.stdin.read(LONGEST).split("\n")[:-1] or [""]
        screen.write("".join(f"{word}\n" for word in candidates(words)))
        return 0
    if options.shell is None:
        msg = (
            f"completion: for which shell? {', '.join(SCRIPTS)}. "
            'bash: eval "$(asyncconsole completion bash)"'
        )
        raise UsageError(msg)
    screen.write(SCRIPTS[options.shell])
    return 0


def candidates(words: Sequence[str]) -> list[str]:
    """What could stand in place of the last word, sorted.

    Args:
        words: The command line behind ``asyncconsole``, at least one word.
    """
    *before, last = words
    if not before:
        found: Iterable[str] = (*SUBCOMMANDS, "--help", "--version")
    elif before[0] not in SUBCOMMANDS:
        found = ()
    else:
        module = importlib.import_module(SUBCOMMANDS[before[0]].module)
        found = _of(parser_of(before[0], "", module.configure), before[-1], last)
    return sorted({word for word in found if word.startswith(last)})


def _of(parser: Parser, before: str, last: str) -> Iterable[str]:
    """Words of one subcommand."""
    actions = parser._actions  # noqa: SLF001 - argparse has no public list of options
    valued = {
        option: action
        for action in actions
        for option in action.option_strings
        if action.nargs != 0
    }
    if before in valued:
        return _values(valued[before])
    if last.startswith("-"):
        return [option for action in actions for option in action.option_strings]
    return [word for action in actions if not action.option_strings for word in _values(action)]


def _values(action: argparse.Action) -> Iterable[str]:
    """What an option or argument could be; nothing where the shell knows better: files."""
    if action.choices:
        return [str(choice) for choice in action.choices]
    if action.metavar == "TARGET":
        return [str(record.pid) for record in consoles.live()]
    if action.metavar == "COMMAND":
        from asyncconsole.commands import dispatch  # noqa: PLC0415 - takes a while to load

        return list(dispatch.names())
    if action.dest == "name":  # of a demo app
        from asyncconsole.client.tours import TOURS  # noqa: PLC0415 - as above

        return list(TOURS)
    return ()
