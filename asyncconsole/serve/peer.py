"""Which user is at the other end of a connection, asked from the kernel."""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from asyncconsole.serve import netlink

_PIECE = 1 << 20
_MOST = 128 << 20
"""Bytes of a socket table that are searched; some 800,000 connections."""

UNMAPPED = -1
"""A user that has no number in this process's user namespace."""

_EVERY_UID = ["0", "0", "4294967295"]
"""The map of a namespace in which every user has its own number."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def unix_uid(sock: socket.socket) -> int | None:
    """Uid of the process that connected to a Unix socket; None when it can't be told.

    Returns:
        `UNMAPPED` for a user without a number in this namespace.
    """
    option = getattr(socket, "SO_PEERCRED", None)  # Linux
    if option is None:
        return None
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, option, size))
    return _mapped(int(uid))


def _mapped(uid: int) -> int:
    """The uid, or `UNMAPPED` when it only stands for one.

    In a user namespace, such as a container's, the kernel shows every user who has no
    number there as the "overflow" uid: who happens to have that number (65534, nobody)
    would take strangers for itself.
    """
    try:
        overflow = int(Path("/proc/sys/kernel/overflowuid").read_text("ascii"))
        if uid == overflow and Path("/proc/self/uid_map").read_text("ascii").split() != _EVERY_UID:
            return UNMAPPED
    except (OSError, ValueError):
        pass  # no namespaces
    return uid


def address(host: str) -> Address:
    """An IP address without its zone, and an IPv4 one out of its IPv6 dress.

    Raises:
        ValueError: It is none.
    """
    found = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def tcp_uid(sock: socket.socket) -> int | None:
    """Uid of the local process at the other end of a loopback connection.

    Asked from the kernel, or looked up in its tables (``/proc/net/tcp``, ``tcp6``), as the
    socket whose local end is our peer and whose remote end is ours. One without an inode
    belongs to nobody (its process has closed it) and shows uid 0: it is not root's, it is
    unknown.

    Returns:
        None when there is no such socket or no such table; `UNMAPPED` for a user without
        a number in this namespace.

    Raises:
        OSError: No descriptor is to be had for asking.
    """
    try:
        peer, own = sock.getpeername(), sock.getsockname()
        theirs, ours = (address(peer[0]), peer[1]), (address(own[0]), own[1])
    except (OSError, ValueError):
        return None
    found = netlink.find_owner(theirs, ours)
    if found is not None:
        uid, inode = found
        return _mapped(uid) if inode else None
    return _search(theirs, ours)


def _search(theirs: tuple[Address, int], ours: tuple[Address, int]) -> int | None:
    for table, ends in _needles(theirs, ours):
        # Twice: a row can slip through while the table is read and changes.
        for _ in range(2):
            row = _find_row(Path(table), ends)
            if row is None:
                continue
            fields = row.split()
            uid, inode = int(fields[7]), int(fields[9])
            return _mapped(uid) if inode else None
    return None


def _needles(theirs: tuple[Address, int], ours: tuple[Address, int]) -> Iterator[tuple[str, bytes]]:
    """The row's two addresses as each table writes them."""
    if theirs[0].version == 4 and ours[0].version == 4:  # noqa: PLR2004 - IP version
        yield "/proc/self/net/tcp", _written(theirs[0].packed, ours[0].packed, theirs[1], ours[1])
        dress = bytes(10) + b"\xff\xff"
        mapped = (dress + theirs[0].packed, dress + ours[0].packed)
        yield "/proc/self/net/tcp6", _written(*mapped, theirs[1], ours[1])
    else:
        yield "/proc/self/net/tcp6", _written(theirs[0].packed, ours[0].packed, theirs[1], ours[1])


def _written(theirs: bytes, ours: bytes, their_port: int, our_port: int) -> bytes:
    return f" {_hex(theirs)}:{their_port:04X} {_hex(ours)}:{our_port:04X} ".encode()


def _hex(packed: bytes) -> str:
    """32-bit words in the machine's byte order, as the kernel prints them."""
    words = (packed[start : start + 4] for start in range(0, len(packed), 4))
    order = -1 if sys.byteorder == "little" else 1
    return "".join(word[::order].hex().upper() for word in words)


def _find_row(table: Path, ends: bytes) -> bytes | None:
    """The table's line that contains ``ends``."""
    try:
        with table.open("rb", buffering=0) as file:
            rest = b""
            read = 0
            while read < _MOST and (piece := file.read(_PIECE)):
                read += len(piece)
                rest += piece
                at = rest.find(ends)
                if at >= 0:
                    rest = rest[rest.rfind(b"\n", 0, at) + 1 :]
                    while b"\n" not in rest and (piece := file.read(_PIECE)):
                        rest += piece
                    return rest.partition(b"\n")[0]
                rest = rest[rest.rfind(b"\n") + 1 :]
    except OSError:
        return None
    return None
