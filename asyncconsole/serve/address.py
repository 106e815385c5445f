"""Where a console listens: the port policy and the Unix socket."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import os
import socket
from pathlib import Path

from asyncconsole.serve.journal import log


class TakenError(OSError):
    """The very port that was asked for can't be had."""


class _DefaultPort(int):
    """The port nobody asked for; an explicit 50101 is another object."""

    __slots__ = ()


DEFAULT_PORT: int = _DefaultPort(50101)
_NEIGHBOURS = range(50101, 50117)
_BACKLOG = 64
_LARGEST_PORT = 65535
_TAKEN = {errno.EADDRINUSE, errno.EACCES}


def check_host(host: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address to bind.

    Raises:
        ValueError: It is no IP address (nor ``localhost``).
    """
    if host == "localhost":
        return ipaddress.ip_address("127.0.0.1")
    try:
        if isinstance(host, str):
            return ipaddress.ip_address(host)
    except ValueError:
        pass
    msg = f"host={host!r} is no IP address; use '127.0.0.1', '::1' or 'localhost'."
    raise ValueError(msg)


def check_port(port: object) -> int:
    """The port as given.

    Raises:
        ValueError: It is none.
    """
    if isinstance(port, int) and not isinstance(port, bool) and 0 <= port <= _LARGEST_PORT:
        return port
    msg = f"port={port!r} is no port; use 1 to 65535, or 0 for any free one."
    raise ValueError(msg)


def listen_tcp(host: str, port: int, *, strict: bool) -> socket.socket:
    """A listening socket near the wished port.

    Args:
        host: IP address or ``localhost``.
        port: `DEFAULT_PORT` tries its neighbours too; 0 takes any free one.
        strict: Fail when an explicit port is taken.

    Raises:
        TakenError: ``strict`` and taken.
        OSError: The address can't be bound at all.
    """
    address = check_host(host)
    default = port is DEFAULT_PORT
    for attempt in _NEIGHBOURS if default else (port,):
        try:
            sock = _bind(address, attempt)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            if strict and not default:
                msg = f"{address} port {port} can't be had; choose another, or drop strict_port"
                raise TakenError(error.errno, f"{msg} ({error.strerror})") from None
            continue
        return _announced(sock, port, attempt)
    return _announced(_bind(address, 0), port, 0)


def _announced(sock: socket.socket, wished: int, got: int) -> socket.socket:
    if got != wished:
        host, port = sock.getsockname()[:2]
        log.warning("port %d is taken; the console listens on %s port %d", wished, host, port)
    return sock


def _bind(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IP version
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if os.name == "posix":
            # Old connections in TIME_WAIT are no reason to go elsewhere.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((str(address), port))
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket, for us alone.

    Raises:
        OSError: It can't be made, or a living console has it.
    """
    if _answers(path):
        msg = f"{path} belongs to another living console"
        raise OSError(msg)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.bind(str(path))
        path.chmod(0o600)
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _answers(path: Path) -> bool:
    """True when somebody listens there (another pid namespace may have our pid too)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def note_missing(what: str, error: Exception) -> None:
    """Say which way in there is not."""
    log.log(logging.WARNING, "the console has no %s: %s", what, error)
