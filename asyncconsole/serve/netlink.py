"""Whose a TCP socket of this machine is, asked from Linux by its two addresses.

``/proc/net/tcp`` says the same, but is written out row by row: with a thousand
connections on the machine a look takes 10 ms, with a hundred thousand a second.
The layouts are those of ``linux/netlink.h`` and ``linux/inet_diag.h``.
"""

from __future__ import annotations

import errno
import socket
import struct
from ipaddress import IPv4Address, IPv6Address

_SOCK_DIAG, _BY_FAMILY, _REQUEST = 4, 20, 1
_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE}

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ENQUIRY = struct.Struct("=BBBxI")  # family, protocol, extensions, states
_PORTS = struct.Struct("!HH")
_ANSWER = struct.Struct("=4x4s16s16s4x8x12xII")  # ports, addresses, uid, inode
_ANY_INTERFACE_AND_COOKIE = bytes(4) + b"\xff" * 8

End = tuple[IPv4Address | IPv6Address, int]


def find_owner(theirs: End, ours: End) -> tuple[int, int] | None:
    """Uid and inode of the socket whose own end is ``theirs`` and whose other end ``ours``.

    Returns:
        None when the kernel doesn't say, or knows no such socket.

    Raises:
        OSError: No descriptor is to be had.
    """
    family = getattr(socket, "AF_NETLINK", None)
    if family is None:
        return None
    ends = (
        _PORTS.pack(theirs[1], ours[1]),
        theirs[0].packed.ljust(16, b"\0"),
        ours[0].packed.ljust(16, b"\0"),
    )
    kind = socket.AF_INET if theirs[0].version == 4 else socket.AF_INET6  # noqa: PLR2004 - IP version
    body = _ENQUIRY.pack(kind, socket.IPPROTO_TCP, 0, 0xFFFFFFFF) + b"".join(ends)
    body += _ANY_INTERFACE_AND_COOKIE
    try:
        with socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as kernel:
            kernel.setblocking(False)  # it answers within the send, or not at all
            kernel.send(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST, 1, 0) + body)
            said = kernel.recv(4096)
    except OSError as error:
        if error.errno in _NO_DESCRIPTOR:
            raise
        return None
    return _read(said, ends)


def _read(said: bytes, ends: tuple[bytes, bytes, bytes]) -> tuple[int, int] | None:
    if len(said) < _HEADER.size + _ANSWER.size:
        return None
    if _HEADER.unpack_from(said)[1] != _BY_FAMILY:
        return None  # an error
    ports, own, other, uid, inode = _ANSWER.unpack_from(said, _HEADER.size)
    # Where no connection fits, Linux answers with who listens on that port: somebody else.
    if (ports, own, other) != ends:
        return None
    return int(uid), int(inode)
