"""What can be told of a transport or socket without running anybody's code.

asyncio's transports are read attribute by attribute; sockets through the methods of the
C class, whatever a subclass made of them.
"""

from __future__ import annotations

import _socket
import gc
from collections import deque
from types import CoroutineType
from typing import Any, NamedTuple

from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.objects import Types, attribute, module_of, type_name
from asyncconsole.model.task import Detail

LAYERS = 5
"""Transports on top of each other that are followed (TLS on TCP, TLS in TLS)."""

MOST_PIECES = 10_000
"""Pieces of an unsent buffer that are counted."""

_BUFFERS = Types(deque, list)
_BYTES = Types(bytes, bytearray, memoryview)
_PIPES = {0: "stdin", 1: "stdout", 2: "stderr"}


class End(NamedTuple):
    """The other end of a transport.

    Attributes:
        words: ``127.0.0.1:5432``, ``stdout of child process 77``; "" when unknown.
        details: Peer, file descriptor, bytes not sent yet, what is paused.
    """

    words: str
    details: tuple[Detail, ...]


def end_of(transport: Any) -> End:
    """Who is at the other end of a transport, and how the transport does."""
    words = ""
    unsent: int | None = None
    transport, layers = _lowest(transport)
    details: list[Detail] = [("tls", True)] * layers
    if transport is None:
        return End("", ())
    if uvloop.is_transport(transport):
        words = address(uvloop.peer(transport)) or "a pipe or Unix socket"
        unsent = uvloop.unsent(transport)
        descriptor = None
    else:
        words = _pipe(transport) or _peer(transport)
        descriptor = attribute(transport, "_sock_fd", attribute(transport, "_fileno"))
        unsent = _size(attribute(transport, "_buffer"))
    if words:
        details.append(("peer", words))
    if type(descriptor) is int and descriptor >= 0:
        details.append(("fd", descriptor))
    if unsent:
        details.append(("unsent", unsent))
    if attribute(transport, "_paused") is True:
        details.append(("reading paused", True))
    if attribute(transport, "_protocol_paused") is True:
        details.append(("writing paused", True))
    if attribute(transport, "_closing") is True:
        details.append(("closing", True))
    return End(words, tuple(details))


def ends(transport: Any) -> tuple[str, str]:
    """Addresses of this end of a connection and of the other; "" for what has none."""
    transport, _ = _lowest(transport)
    if uvloop.is_transport(transport):
        return address(uvloop.local(transport)), address(uvloop.peer(transport))
    extra = attribute(transport, "_extra")
    extra = extra if type(extra) is dict else {}
    return address(extra.get("sockname")), address(extra.get("peername"))


def inner_socket(transport: Any) -> Any:
    """The socket of a transport, or what uvloop has for one; None without."""
    transport, _ = _lowest(transport)
    return (
        uvloop.sock(transport) if uvloop.is_transport(transport) else attribute(transport, "_sock")
    )


def _lowest(transport: Any) -> tuple[Any, int]:
    """The transport below all layers of TLS, and how many these are."""
    for layer in range(LAYERS):
        protocol = attribute(transport, "_ssl_protocol")  # asyncio's TLS
        if protocol is None and uvloop.is_tls(transport):
            protocol = uvloop.tls_protocol(transport)
        if protocol is None:
            return transport, layer
        transport = attribute(protocol, "_transport")
    return transport, LAYERS


def _peer(transport: Any) -> str:
    extra = attribute(transport, "_extra")
    if type(extra) is not dict:
        return ""
    found = address(extra.get("peername"))
    if found or "socket" not in extra:
        return found
    return "a Unix socket" if extra.get("sockname") in ("", None) else ""


def _pipe(transport: Any) -> str:
    """``stdout of child process 77`` for the pipe of an asyncio subprocess."""
    protocol = attribute(transport, "_protocol")
    if type_name(protocol) not in {"ReadSubprocessPipeProto", "WriteSubprocessPipeProto"}:
        if module_of(type(transport)) == "asyncio.unix_events":
            return "a pipe"
        return ""
    pid = attribute(attribute(protocol, "proc"), "_pid")
    which = _PIPES.get(attribute(protocol, "fd"), "a pipe")
    return f"{which} of child process {pid}" if type(pid) is int else which


def _size(buffer: Any) -> int | None:
    """Bytes in an unsent buffer: one bytearray until 3.11, pieces since."""
    if type(buffer) is bytearray:
        return len(buffer)
    if type(buffer) in _BUFFERS:
        for _ in range(3):
            try:
                pieces = list(buffer)[:MOST_PIECES]
            except RuntimeError:  # it changed while it was copied
                continue
            return sum(memoryview(piece).nbytes for piece in pieces if type(piece) in _BYTES)
    return None


def address(found: Any) -> str:
    """A socket address in words; "" for what is none."""
    if type(found) is tuple and len(found) >= 2:  # noqa: PLR2004 - host and port
        host, port = found[0], found[1]
        if type(host) is str and type(port) is int:
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return ""
    if type(found) is bytes and found:
        return "@" + found.strip(b"\0").decode("utf-8", "replace")
    return found if type(found) is str else ""


def local_address(sock: Any) -> str:
    """The address that a socket is bound to; "" when it can't be told."""
    inner = attribute(sock, "_sock", sock)  # asyncio hands out a wrapper
    if not issubclass(type(inner), _socket.socket):
        return ""
    try:
        return address(_socket.socket.getsockname(inner))
    except OSError:
        return ""


def socket_facts(sock: Any) -> tuple[str, list[Detail]]:
    """Peer (else own address) of a socket, and what is known of it."""
    details: list[Detail] = []
    try:
        descriptor = _socket.socket.fileno(sock)
        if descriptor >= 0:
            details.append(("fd", descriptor))
        peer = address(_socket.socket.getpeername(sock))
    except (OSError, TypeError):
        return local_address(sock), details
    if peer:
        details.append(("peer", peer))
    return peer, details


def scope(owner: Any) -> list[Any]:
    """What a coroutine of compiled code keeps as its local variables."""
    found: list[Any] = []
    if type(owner) is CoroutineType:
        return found
    for item in gc.get_referents(owner):
        if "__pyx_scope" in type_name(item):
            found += gc.get_referents(item)
    return found
