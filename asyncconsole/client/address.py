"""Where a console listens, and what a person may call it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from asyncconsole.model.errors import UsageError

HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe, of those who speak TLS.

    Attributes:
        authority: File with the certificate of who vouches for the console's, or its own; None
            for those that this machine trusts.
        name: Name that the certificate must have; "" for the host that is connected to.
        certificate: File with the certificate that we show when asked; None for none.
        key: File with its private key; None when that is in the same file.
    """

    authority: str | None = None
    name: str = ""
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A place to connect to: a Unix socket's path, or host and port.

    Attributes:
        path: Path of a Unix socket, or "".
        host: Name or address, without brackets.
        port: TCP port.
        pid: Process that listens there, when known.
        trust: The port speaks TLS, and whom to believe; None when it does not.
    """

    path: str = ""
    host: str = ""
    port: int = 0
    pid: int | None = None
    trust: Trust | None = None

    def __str__(self) -> str:
        if self.path:
            return self.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def what(self) -> str:
        """For messages: the process when known, else the place."""
        return f"{self} (pid {self.pid})" if self.pid is not None else str(self)


def parse(target: str) -> Address | int:
    """What ``target`` means: a process id, or a place.

    ``4242`` is a process; ``host:50101``, ``[::1]:50101`` and ``:50101`` are places, and so
    is everything with a path separator in it and every file that is there.

    Raises:
        UsageError: It is nothing of these.
    """
    if target.isascii() and target.isdigit():
        return int(target)
    host, colon, port = target.rpartition(":")
    if os.sep not in target and colon and port.isascii() and port.isdigit():
        if not 0 < int(port) <= HIGHEST_PORT:
            msg = f"{target}: a port is a number from 1 to {HIGHEST_PORT}."
            raise UsageError(msg)
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            msg = f"{target}: an IPv6 address goes into brackets, as in [::1]:50101."
            raise UsageError(msg)
        return Address(host=host or "127.0.0.1", port=int(port))
    if os.sep in target or os.path.exists(target):  # noqa: PTH110 - a question, not a path to work with
        return Address(path=target)
    msg = (
        f"{target!r} is no HOST:PORT, socket path or process id. `asyncconsole ls` lists consoles."
    )
    raise UsageError(msg)
