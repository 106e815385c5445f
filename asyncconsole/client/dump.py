"""``asyncconsole dump``: a snapshot of a running program, in a file on this side."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from asyncconsole.client import ask, connect, dumps, screen
from asyncconsole.client.wire import Manner, open_wire
from asyncconsole.model.errors import ConsoleError, UsageError
from asyncconsole.model.instant import bare

TIMEOUT = 60.0
"""Seconds for all of it, unless told otherwise."""

LONGEST_HEAD = 1 << 16
_GZIP = 31  # for `zlib`


class NotWrittenError(ConsoleError):
    """There is no dump; nothing of it is left."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    connect.add_target(parser)
    parser.set_defaults(timeout=TIMEOUT)
    parser.add_argument(
        "-o",
        dest="file",
        metavar="FILE",
        help="where to; - for stdout (default: a file in this folder, named after the program)",
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")
    parser.add_argument(
        "--quick", action="store_true", help="make no frozen copy of the program for the verdict"
    )


def dump(options: argparse.Namespace) -> int:
    """Have a console send a snapshot, and store it; returns the exit code.

    Raises:
        ConsoleError: see `asyncconsole.model.errors`.
    """
    if options.file == dumps.STREAM and sys.stdout.isatty():
        msg = "dump: stdout is a terminal, and a dump is no text; give -o FILE, or a pipe."
        raise UsageError(msg)
    address = connect.find(options)
    manner = Manner(token=connect.token(options))
    watching = connect.onlooker(address)
    with open_wire(address, manner, options.timeout, watching) as wire, _file(options) as draft:
        errors: list[str] = []
        command = "dump - --quick" if options.quick else "dump -"
        code = ask.run(wire, command, options.timeout, out=draft.take, error=errors.append)
        if code or not draft.whole:
            why = "; ".join(errors) or "what came is no whole dump"
            failed = NotWrittenError(f"no dump of {wire.address.what}: {why}")
            failed.exit_code = code or 1
            raise failed
        draft.finish()
    return 0


class Draft:
    """A dump on its way into a file.

    Args:
        file: Where it goes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packer = zlib.compressobj(wbits=_GZIP)
        self._first = self._last = ""
        self.size = 0

    def take(self, text: str) -> None:
        """Some more of it."""
        if len(self._first) < LONGEST_HEAD and "\n" not in self._first:
            self._first += text
        self._last = (self._last + text)[-LONGEST_HEAD:]
        self._write(self._packer.compress(text.encode("utf-8", "backslashreplace")))

    def finish(self) -> None:
        """That was all."""
        self._write(self._packer.flush())
        self._file.flush()

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    @property
    def head(self) -> dict[str, Any]:
        """The first line."""
        return _object(self._first.partition("\n")[0])

    @property
    def counts(self) -> dict[str, Any]:
        """How many records of each kind the last line counts; {} when it isn't there."""
        found = _object(self._last.rstrip("\n").rpartition("\n")[2]).get("end")
        return found if isinstance(found, dict) else {}

    @property
    def whole(self) -> bool:
        """True when the last line has come."""
        return bool(self.counts)


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def _file(options: argparse.Namespace) -> Iterator[Draft]:
    """A draft that becomes the file once it is whole; nothing is left of one that isn't.

    Raises:
        NotWrittenError: It can't be made, or is there already.
    """
    if options.file == dumps.STREAM:
        try:
            with open(sys.stdout.fileno(), "wb", closefd=False) as out:
                yield Draft(out)
        except BrokenPipeError:
            raise
        except OSError as error:
            msg = f"stdout: {error.strerror or error}."
            raise NotWrittenError(msg) from None
        return
    path = options.file
    if path is not None:
        _refuse(path, options)
    folder = os.path.dirname(os.path.abspath(path or "x"))  # noqa: PTH100, PTH120 - strings
    hidden = os.path.join(folder, f".asyncconsole-{os.getpid()}.dump.part")  # noqa: PTH118 - as above
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with contextlib.suppress(FileNotFoundError):  # of a client that was killed
            os.unlink(hidden)  # noqa: PTH108 - a string
        file = open(os.open(hidden, flags, 0o600), "wb")  # noqa: PTH123, SIM115 - a descriptor, closed below
    except OSError as error:
        msg = f"{path or folder}: {error.strerror or error}."
        raise NotWrittenError(msg) from None
    try:
        with file:
            draft = Draft(file)
            yield draft
        path = path or _name(folder, draft)
        _refuse(path, options)
        os.replace(hidden, path)  # noqa: PTH105 - strings
    except OSError as error:
        msg = f"{path or folder}: {error.strerror or error}."
        raise NotWrittenError(msg) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(hidden)  # noqa: PTH108 - a string
    counts = draft.counts
    told = ", ".join(
        f"{counts.get(kind, 0)} {word}{'' if counts.get(kind) == 1 else 's'}"
        for kind, word in (("task", "task"), ("resource", "primitive"), ("finding", "finding"))
    )
    screen.write(f"Wrote {path}: {told}; {draft.size:,} bytes.\n")


def _refuse(path: str, options: argparse.Namespace) -> None:
    """Never write over a file unasked.

    Raises:
        NotWrittenError: There is such a file.
    """
    if not os.path.lexists(path):
        return
    if not os.path.isfile(path):  # noqa: PTH113 - a string
        msg = f"{path} is no file that could be replaced; -o - writes to stdout."
        raise NotWrittenError(msg)
    if not options.force:
        msg = f"{path} is there already; give another name, or --force."
        raise NotWrittenError(msg)


def _name(folder: str, draft: Draft) -> str:
    """A name that is not taken: ``bank-4242-20260101T000000Z.dump.gz``."""
    head = draft.head
    program = str(head.get("program") or "python").removesuffix(".py")[:60]
    words = (program, str(head.get("pid"))[:20], bare(str(head.get("taken_at")))[:20])
    kept = [c for c in "-".join(words) if (c.isascii() and c.isalnum()) or c in "_-."]
    stem = "".join(kept).strip(".-") or "program"
    name, number = f"{stem}.dump.gz", 1
    while os.path.lexists(os.path.join(folder, name)):  # noqa: PTH118 - strings
        name, number = f"{stem}-{number}.dump.gz", number + 1
    return name
