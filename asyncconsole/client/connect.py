"""``asyncconsole connect``: a session with a console, or a few commands' output."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

from asyncconsole.client import ask, consoles, screen
from asyncconsole.client.address import Address, Trust
from asyncconsole.client.outside.onlooker import Onlooker
from asyncconsole.client.outside.sight import Sight
from asyncconsole.client.wire import GoneError, Manner, Wire, open_wire
from asyncconsole.model.errors import UsageError

TOKEN_VARIABLE = "ASYNCCONSOLE_TOKEN"  # noqa: S105 - a variable's name
TOKEN_FILE_VARIABLE = "ASYNCCONSOLE_TOKEN_FILE"  # noqa: S105 - a variable's name

LONG = 3.0
"""Seconds of a wait in which it is worth saying what for; the error at its end says it, too."""

LEAVING = {"exit", "quit", "q"}
"""Ends a script here, whatever the console would do."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_target(parser, several=True)
    parser.add_argument("--all", action="store_true", help="every live console, with -c")
    parser.add_argument(
        "--reconnect",
        action="store_true",
        help="when the program ends, wait for its next start (Ctrl-C leaves)",
    )
    add_commands(parser)


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Options of everything that runs commands."""
    parser.add_argument(
        "-c",
        dest="commands",
        metavar="COMMAND",
        action="append",
        help="run this and leave; may be given again",
    )
    parser.add_argument("--json", action="store_true", help="JSON from each command")


def add_target(
    parser: argparse.ArgumentParser, *, timed: bool = True, several: bool = False
) -> None:
    """Options of everything that talks to a console.

    Args:
        parser: Gets them.
        timed: For what gives up some time.
        several: For what can talk to more than one.
    """
    parser.add_argument(
        "targets" if several else "target",
        metavar="TARGET",
        nargs="*" if several else "?",
        help="HOST:PORT, Unix socket or pid (default: the only live console)",
    )
    if timed:
        parser.add_argument(
            "--timeout",
            type=seconds,
            metavar="S",
            default=ask.DEFAULT_TIMEOUT,
            help="seconds to wait for an answer (default %(default)g)",
        )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="file with the token of a guarded console "
        f"(or set {TOKEN_FILE_VARIABLE} or {TOKEN_VARIABLE})",
    )
    parser.add_argument("--tls", action="store_true", help="the console's port speaks TLS")
    parser.add_argument(
        "--cafile",
        metavar="FILE",
        help="certificate to trust (default: the system's); means --tls",
    )
    parser.add_argument(
        "--tls-name", metavar="NAME", help="name in the certificate (default: HOST); means --tls"
    )
    parser.add_argument(
        "--cert",
        metavar="FILE",
        help="certificate to show to a console that asks for one; means --tls",
    )
    parser.add_argument("--key", metavar="FILE", help="its private key (default: in the same file)")


def find(options: argparse.Namespace) -> Address:
    """The console that the options name, and how to trust it; see `consoles.find`."""
    return trusting(consoles.find(options.target), options)


def trusting(address: Address, options: argparse.Namespace) -> Address:
    """That console, believed as the options say."""
    if options.key and not options.cert:
        msg = "--key is the key of a certificate: name that, too (--cert FILE)."
        raise UsageError(msg)
    if address.path or not (options.tls or options.cafile or options.tls_name or options.cert):
        return address
    trust = Trust(options.cafile, options.tls_name or "", options.cert, options.key)
    return replace(address, trust=trust)


def seconds(text: str) -> float:
    """A positive number of seconds, for argparse."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def token(options: argparse.Namespace) -> str | None:
    """The token to show, if there is one.

    Raises:
        UsageError: The file can't be read, or others can read it.
    """
    if options.token_file is None:
        return known_token()
    return _read("--token-file", options.token_file)


def known_token() -> str | None:
    """The token that the environment names, if it does.

    Raises:
        UsageError: The file can't be read, or others can read it.
    """
    file = os.environ.get(TOKEN_FILE_VARIABLE)
    return _read(TOKEN_FILE_VARIABLE, file) if file else os.environ.get(TOKEN_VARIABLE)


def _read(what: str, path: str) -> str:
    from asyncconsole.serve.exposure import read_private  # noqa: PLC0415 - few have a token

    try:
        if os.path.isfile(path) or not os.path.exists(path):  # noqa: PTH113, PTH110 - one question
            return read_private(path)
        with open(path, encoding="utf-8") as pipe:  # noqa: PTH123 - as in --token-file <(...)
            return pipe.read().strip()
    except (OSError, ValueError) as error:
        msg = f"{what} {error}"
        raise UsageError(msg) from None


def connect(options: argparse.Namespace) -> int:
    """Hold the session that the options ask for; returns the exit code.

    Raises:
        ConsoleError: see `asyncconsole.model.errors`.
    """
    at_terminal = person(options)
    _check(options, at_terminal=at_terminal)
    shown = token(options)
    if options.all or len(options.targets) > 1:
        from asyncconsole.client import several  # noqa: PLC0415 - most ask one

        return several.run(
            [
                trusting(address, options) if isinstance(address, Address) else address
                for address in several.addresses(options.targets, every=options.all)
            ],
            options.commands or list(_lines()),
            as_json=options.json,
            timeout=options.timeout,
            token=shown,
        )
    target = options.targets[0] if options.targets else None
    address = trusting(consoles.find(target), options)
    if at_terminal:
        return interactive(address, shown, options.timeout, again=options.reconnect)
    manner = Manner(width=screen.width(sys.stdout), colour=screen.colour(sys.stdout), token=shown)
    with open_wire(address, manner, options.timeout, onlooker(address)) as wire:
        return run_all(wire, options)


def person(options: argparse.Namespace) -> bool:
    """True when somebody at a terminal is to have a session.

    Raises:
        UsageError: ``--json`` without a command.
    """
    found = sys.stdin.isatty() and sys.stdout.isatty() and not options.commands
    if found and options.json:
        msg = "--json wants a command: -c COMMAND --json."
        raise UsageError(msg)
    return found


def run_all(wire: Wire, options: argparse.Namespace) -> int:
    """Run the commands of the options, or else of stdin; the first code that isn't 0."""
    if options.commands:
        return _run_all(wire, iter(options.commands), options, answers=False)
    return _run_all(wire, _lines(), options, answers=True)


def _check(options: argparse.Namespace, *, at_terminal: bool) -> None:
    """Refuse what can't be meant.

    Raises:
        UsageError: With what to do instead.
    """
    msg = ""
    if at_terminal and (options.all or len(options.targets) > 1):
        msg = "connect: a session is with one console; several take commands: -c COMMAND."
    elif options.reconnect and not at_terminal:
        msg = "connect: --reconnect is for a session at a terminal, not for commands."
    if msg:
        raise UsageError(msg)


def interactive(
    address: Address,
    shown: str | None,
    timeout: float,
    *,
    command: str | None = None,
    again: bool = False,
) -> int:
    """A session with a person.

    Args:
        address: The console.
        shown: A token to show, if there is one.
        timeout: Seconds for being accepted.
        command: The only one to run; None to be asked.
        again: Wait for the program's next start when it ends.
    """
    from asyncconsole.client import dialogue, rebirth  # noqa: PLC0415 - needs prompt_toolkit

    life = rebirth.Life(address)
    while True:
        manner = personal(interactive=command is None, token=shown)
        try:
            with open_wire(address, manner, timeout, onlooker(address)) as wire:
                return dialogue.hold(wire, command)
        except GoneError as gone:
            if not again:
                raise
            screen.complain(str(gone))
            screen.complain("waiting for its next start; Ctrl-C leaves.")
            address = replace(life.next(), trust=address.trust)


def personal(*, interactive: bool, token: str | None = None) -> Manner:
    """The manner of a session at this terminal."""
    return Manner(
        interactive=interactive,
        width=screen.width(sys.stdout),
        colour=screen.colour(sys.stdout),
        token=token,
        height=screen.height() if os.name == "posix" else None,
        screen=screen.paints(sys.stdout),
    )


def onlooker(address: Address) -> Onlooker:
    """Says once why the program does not answer yet, if the wait for it is to be a long one."""
    told: list[Sight] = []

    def tell(sight: Sight, left: float | None) -> None:
        if sight.plain and not told and (left is None or left > LONG):
            told.append(sight)
            screen.complain(f"{address.what} does not answer yet: {sight.told}")

    return Onlooker(address, tell=tell)


def _lines() -> Iterator[str]:
    """Lines of stdin, as they come."""
    for line in sys.stdin:
        yield line.rstrip("\r\n")


def _run_all(
    wire: Wire, commands: Iterator[str], options: argparse.Namespace, *, answers: bool
) -> int:
    """Run command after command; the first code that isn't 0 is the answer.

    Args:
        wire: The session.
        commands: Lines; empty ones and ``# comments`` are passed over.
        options: ``timeout`` for each command, and ``json``.
        answers: True when a command that asks something gets the next line.
    """
    first = 0
    for command in commands:
        words = command.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in LEAVING:
            break
        try:
            code = ask.run(
                wire,
                ask.as_json(command) if options.json else command,
                options.timeout,
                out=screen.write,
                error=screen.complain,
                lines=commands if answers else None,
                endless=True,
            )
        except ask.LeftError:
            break
        except KeyboardInterrupt:
            wire.send({"interrupt": True})
            raise
        first = first or code
    return first
