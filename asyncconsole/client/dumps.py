"""Dump files: reading them, and a console on one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from asyncconsole.client.address import Address
from asyncconsole.client.wire import Manner, Wire
from asyncconsole.model.errors import ConsoleError
from asyncconsole.model.jsonl import RecordError
from asyncconsole.model.recording import Recording
from asyncconsole.model.records import LONGEST_LINE, NewerError, Reader

STREAM = "-"
"""Stands for stdin, or stdout."""

CHUNK = 1 << 16
_MAGIC = b"\x1f\x8b"
_GZIP = 31  # for `zlib`

_GREETING = 30.0
"""Seconds for the console on a dump to load."""


class DumpError(ConsoleError):
    """That file can't be read, or is no dump that this version knows."""


def load(path: str) -> Recording:
    """A dump file's contents.

    Args:
        path: The file, compressed or not; ``-`` for stdin.

    Raises:
        DumpError: It is missing, foreign, damaged, too big, or of a newer version.
    """
    try:
        if path == STREAM:
            return _read(sys.stdin.buffer)
        with Path(path).open("rb") as file:
            return _read(file)
    except NewerError as error:
        msg = f"{path}: {error}. Install a newer asyncconsole."
    except RecordError as error:
        msg = f"{path}: {error}."
    except OSError as error:
        msg = f"{path}: {error.strerror or error}."
    raise DumpError(msg)


def _read(file: BinaryIO) -> Recording:
    reader = Reader()
    rest = b""
    for piece in _pieces(file):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            reader.take(line)
        if len(rest) > LONGEST_LINE:
            reader.take(rest)  # refuses it
    if rest:
        reader.take(rest)
    return reader.recording()


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """What the file has in it, a little at a time, however well it is compressed.

    Raises:
        RecordError: The compression is damaged.
    """
    piece = file.read(CHUNK)
    if not piece.startswith(_MAGIC):
        while piece:
            yield piece
            piece = file.read(CHUNK)
        return
    unpacker = zlib.decompressobj(_GZIP)
    try:
        while piece:
            yield unpacker.decompress(piece, CHUNK)
            piece = unpacker.unconsumed_tail or file.read(CHUNK)
            if unpacker.eof and (unpacker.unused_data or piece):
                msg = "something follows its end"
                raise RecordError(msg)
        while more := unpacker.decompress(unpacker.unconsumed_tail, CHUNK):
            yield more
    except zlib.error:
        msg = "it is damaged"
        raise RecordError(msg) from None
    if not unpacker.eof:
        msg = "it is cut short"
        raise RecordError(msg)


@contextmanager
def console(recording: Recording, manner: Manner, path: str) -> Iterator[Wire]:
    """A console on a dump, in a thread of this process, with a wire to it.

    Args:
        recording: The dump.
        manner: How the session is to be held.
        path: The file, for messages.

    Raises:
        ConsoleError: It could not be had.
    """
    ours, theirs = socket.socketpair()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(recording, theirs)), name="dump", daemon=True
    )
    thread.start()
    wire = Wire(ours, Address(path=path))
    try:
        wire.greet(manner, time.monotonic() + _GREETING)
        yield wire
    finally:
        wire.close()
        thread.join(1.0)


async def _serve(recording: Recording, sock: socket.socket) -> None:
    """What a console's side thread does, for one client."""
    from asyncconsole.serve import access, door  # noqa: PLC0415 - `dump` and `diff` need none
    from asyncconsole.serve.reception import Reception  # noqa: PLC0415 - as above
    from asyncconsole.serve.rules import Rules  # noqa: PLC0415 - as above
    from asyncconsole.serve.still import StillTarget  # noqa: PLC0415 - as above

    sock.setblocking(False)
    client = door.Connection(sock, access.Visitor("the reader of a dump", "welcome"))
    reception = Reception(StillTarget(recording), Rules(), access.Gate(None))
    with contextlib.closing(sock):
        await reception.serve(client, None, lambda: False)
