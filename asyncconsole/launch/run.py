"""``asyncconsole run``: an unchanged program with the console on."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from asyncconsole.launch.program import Program
from asyncconsole.model.errors import ConsoleError, UsageError

SWITCHES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--host", {"metavar": "ADDRESS", "help": "address to listen on (default 127.0.0.1)"}),
    ("--port", {"type": int, "metavar": "N", "help": "TCP port (default 50101 or the next free)"}),
    ("--strict-port", {"action": "store_true", "help": "fail when that port is taken"}),
    ("--no-unix-socket", {"action": "store_true", "help": "serve on TCP alone"}),
    (
        "--auth-file",
        {"metavar": "FILE", "help": "file with a token that lets others in (chmod 600)"},
    ),
    ("--tls-cert", {"metavar": "FILE", "help": "certificate: TLS for the TCP port"}),
    ("--tls-key", {"metavar": "FILE", "help": "its key (default: in the same file)"}),
    (
        "--insecure",
        {"action": "store_true", "help": "listen beyond loopback also without token and TLS"},
    ),
    (
        "--idle-timeout",
        {"type": float, "metavar": "S", "help": "seconds a client may say nothing (default 3600)"},
    ),
    ("--read-only", {"action": "store_true", "help": "no REPL, no cancel"}),
    ("--no-repl", {"action": "store_true", "help": "no REPL"}),
    (
        "--stall-threshold",
        {"type": float, "metavar": "S", "help": "seconds after which a blocked loop is a stall"},
    ),
    (
        "--probe",
        {
            "action": "store_const",
            "const": 0.1,
            "dest": "stall_threshold",
            "help": "look closely: the same as --stall-threshold 0.1",
        },
    ),
    ("--polls", {"action": "store_true", "help": "time every callback, for `stalls --top`"}),
    (
        "--watch",
        {"type": float, "metavar": "S", "help": "check it every S seconds, log what is wrong"},
    ),
    (
        "--stall-log",
        {"metavar": "FILE", "help": "append a line of JSON to FILE for each stall"},
    ),
    (
        "--dump-signal",
        {
            "nargs": "?",
            "const": True,
            "metavar": "SIGNAL",
            "help": "write a full dump whenever that signal comes (default SIGUSR1)",
        },
    ),
    ("--dump-file", {"metavar": "FILE", "help": "append those dumps to FILE (default: stderr)"}),
    (
        "--abort-after",
        {
            "type": float,
            "metavar": "S",
            "help": "dump and exit with 75 when a loop has been blocked for S seconds",
        },
    ),
    ("--no-track", {"action": "store_true", "help": "don't record how tasks and locks are taken"}),
    ("--quiet", {"action": "store_true", "help": "don't say on stderr where the console is"}),
)
"""Options of ``run``; each is one of ``asyncconsole.start``, by the same name."""

_SIGNAL = re.compile("SIG[A-Z]+[0-9]*|(?i:USR[12]|QUIT|BREAK)|[0-9]+")
"""What after ``--dump-signal`` is a signal's name or number, and no program's."""

USAGE = "asyncconsole run [OPTIONS] script.py [ARGS...] | -m module [ARGS...]"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options and a place for the rest of the line."""
    for name, how in SWITCHES:
        parser.add_argument(name, **how)


def split(words: Sequence[str]) -> tuple[list[str], Program]:
    """Our options and the program; nothing after the program's name is ours.

    argparse can't tell a program's options from ours, so this is done by hand.

    Raises:
        UsageError: There is no program.
    """
    valued = {name for name, how in SWITCHES if not {"action", "nargs"} & how.keys()}
    ours: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("-m"):
            name = word[2:] or (rest.pop(0) if rest else "")
            if name:
                return ours, Program(name, module=True, args=rest)
            msg = f"run: -m wants a module's name. Usage: {USAGE}"
            raise UsageError(msg)
        ours.append(word)
        if rest and (word in valued or (word == "--dump-signal" and _SIGNAL.fullmatch(rest[0]))):
            ours.append(rest.pop(0))
    if rest:
        return ours, Program(rest[0], args=rest[1:])
    if {"-h", "--help"} & set(ours):
        return ours, Program("")
    msg = f"run: which program? Usage: {USAGE}"
    raise UsageError(msg)


def start(options: argparse.Namespace, program: Program) -> None:
    """Start the console for ``program``, and say on stderr where it is.

    Raises:
        UsageError: There is no such script.
        ConsoleError: The console can't start as it was told to.
    """
    program.announce()
    _rename()
    import asyncconsole  # noqa: PLC0415 - only here: everything below it is lazy

    how: dict[str, Any] = {
        "unix_socket": not options.no_unix_socket,
        "read_only": options.read_only,
        "repl": not options.no_repl,
        "strict_port": options.strict_port,
        "track_tasks": not options.no_track,
        "track_locks": not options.no_track,
        "polls": options.polls,
    }
    simple = (
        *("host", "port", "stall_threshold", "watch", "stall_log"),
        *("dump_signal", "dump_file", "abort_after", "idle_timeout"),
    )
    for name in simple:
        value = getattr(options, name)
        if value is not None:
            how[name] = value
    how |= _guarded(options)
    try:
        console = asyncconsole.start(**how)
    except ConsoleError:
        raise
    except (OSError, ValueError) as error:
        msg = f"run: the console can't start: {error}"
        raise ConsoleError(msg) from error
    if not options.quiet and not console.closed:  # else the log says why
        _say(sys.stderr, console.host, console.port)


def _guarded(options: argparse.Namespace) -> dict[str, Any]:
    """Arguments of `asyncconsole.start` for who may come in.

    Raises:
        UsageError: A key without a certificate.
    """
    how: dict[str, Any] = {}
    if options.insecure:
        how["insecure"] = True
    if options.auth_file is not None:
        from pathlib import Path  # noqa: PLC0415 - few have a token

        how["auth"] = Path(options.auth_file)
    if options.tls_cert is not None:
        how["tls"] = (options.tls_cert, options.tls_key)
    elif options.tls_key is not None:
        msg = "run: --tls-key wants its certificate: --tls-cert FILE."
        raise UsageError(msg)
    return how


def _say(stream: TextIO, host: str | None, port: int | None) -> None:
    """Tell on ``stream`` where the console is."""
    ways = [f"asyncconsole connect {os.getpid()}"]
    if host and port:
        ways.insert(0, f"telnet {host} {port}")
    print(f"asyncconsole: {', or '.join(ways)}", file=stream, flush=True)


def _rename() -> None:
    """Be ``python`` to the kernel, as the program would be without us.

    The kernel names a process after the script it was started by, and its threads after who
    made them: all would be called as the console's own thread, by which others find that.
    """
    comm = Path("/proc/self/comm")
    with contextlib.suppress(OSError):
        if comm.read_text("utf-8").strip() == "asyncconsole":
            comm.write_text(Path(sys.executable).name, "utf-8")
