"""Streams that nobody reads, at which their writer or the child behind them is held up.

A `StreamReader` pauses its transport once its buffer holds twice its limit; from then on
the pipe or socket fills up, and whoever writes at the other end stands still.
"""

from __future__ import annotations

import _socket
import os
import socket
import struct
from asyncio import StreamReader, streams
from asyncio import subprocess as processes
from pathlib import Path
from typing import Any, NamedTuple

from asyncconsole.capture import transports
from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.objects import attribute
from asyncconsole.model.jam import Jam

_PIPES = ("stdout", "stderr")
_CREDENTIALS = struct.Struct("3i")
"""``struct ucred``: pid, uid, gid."""


class Jammed(NamedTuple):
    """A jam, with the readers that would end it.

    Attributes:
        jam: As plain data.
        readers: What somebody would have to read from: each `StreamReader` that is paused, or
            the bare socket.
    """

    jam: Jam
    readers: tuple[Any, ...]


def of_writer(writer: Any) -> Jammed | None:
    """What holds up a task in ``drain``.

    Args:
        writer: A StreamWriter, or the protocol behind one.
    """
    protocol = attribute(writer, "_protocol", writer)
    if not issubclass(type(protocol), streams.FlowControlMixin):
        return None
    transport = attribute(writer, "_transport")
    if transport is None:
        transport = attribute(protocol, "_transport")
    unsent = dict(transports.end_of(transport).details).get("unsent")
    size = unsent if type(unsent) is int else 0
    if issubclass(type(protocol), processes.SubprocessStreamProtocol):
        return _child("drain", protocol, size)
    reader = attribute(protocol, "_stream_reader_wr")
    reader = reader() if reader is not None else attribute(writer, "_reader")
    found = _paused((("reading", reader),))
    local, peer = transports.ends(transport)
    made = Jam(
        "drain", local, peer, _same(transports.inner_socket(transport)), unsent=size, **found.facts
    )
    return Jammed(made, found.readers)


def of_process(process: Any) -> Jammed | None:
    """What holds up the child that a task waits for."""
    return _child("wait", process, 0)


def of_socket(sock: Any) -> Jammed:
    """What holds up a task that sends on a bare socket."""
    peer, _ = transports.socket_facts(sock)
    return Jammed(Jam("send", transports.local_address(sock), peer, _same(sock)), (sock,))


def _child(does: str, owner: Any, unsent: int) -> Jammed | None:
    """A child process, by its `Process` or the protocol of its pipes."""
    transport = attribute(owner, "_transport")
    pid = attribute(transport, "_pid")
    if type(pid) is not int:
        pid = attribute(owner, "pid")
    found = _paused(tuple((name, attribute(owner, name)) for name in _PIPES))
    if type(pid) is not int:
        pid = uvloop.child(transport)
    if pid is None or not found.readers:
        return None
    return Jammed(
        Jam(does, pid=pid, unsent=unsent, stands=_stands(pid), **found.facts), found.readers
    )


class _Paused(NamedTuple):
    facts: dict[str, Any]
    readers: tuple[Any, ...]


def _paused(named: tuple[tuple[str, Any], ...]) -> _Paused:
    """Those readers that have stopped reading, and what lies in them."""
    names, readers, size = [], [], 0
    for name, reader in named:
        if issubclass(type(reader), StreamReader) and attribute(reader, "_paused") is True:
            buffer = attribute(reader, "_buffer")
            size += len(buffer) if type(buffer) is bytearray else 0
            names.append(name)
            readers.append(reader)
    return _Paused({"paused": tuple(names), "buffered": size}, tuple(readers))


def _same(sock: Any) -> bool:
    """True for a Unix socket whose other end this process has made."""
    option = getattr(socket, "SO_PEERCRED", None)
    plain = issubclass(type(sock), socket.socket)
    if option is None or not (plain or uvloop.is_socket(sock)):
        return False
    asked = _socket.socket.getsockopt if plain else type(sock).getsockopt
    try:
        if asked(sock, socket.SOL_SOCKET, socket.SO_DOMAIN) != socket.AF_UNIX:
            return False
        found = asked(sock, socket.SOL_SOCKET, option, _CREDENTIALS.size)
        return bool(_CREDENTIALS.unpack(found)[0] == os.getpid())
    except (OSError, AttributeError):
        return False


def _stands(pid: int) -> str:
    """The kernel's function that a process sleeps in."""
    try:
        found = Path(f"/proc/{pid}/wchan").read_text().strip()
    except (OSError, ValueError):
        return ""
    return found if found != "0" else ""
