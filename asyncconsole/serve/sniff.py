"""Who is there, told from the first bytes alone; nothing is executed or answered here.

A browser is a local client too: any page can send a request to a port of this
machine, as the same user. What looks like HTTP or TLS is closed unread.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["wire", "telnet", "text", "http", "tls", "binary"]

WIRE = b"ASYNCCONSOLE/1 "
_TLS = 0x16
_OPENINGS: tuple[tuple[bytes, Kind], ...] = ((b"\xff", "telnet"), (b"\x16", "tls"), (WIRE, "wire"))
_METHODS = (
    b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"CONNECT ", b"OPTIONS ", b"TRACE ",
    b"PATCH ", b"PRI ", b"PROPFIND ", b"MKCOL ", b"REPORT ", b"SEARCH ",
)  # fmt: skip
_REQUEST = re.compile(rb"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]+\S+[ \t]+HTTP/[0-9]", re.IGNORECASE)
_TYPED = frozenset(b"\t\n\r\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x10\x15\x17\x1a\x1b\x7f")
"""Control bytes that a terminal's keys send."""


def request_line(line: bytes) -> bool:
    """True for the first line of an HTTP request, whatever its method."""
    return _REQUEST.match(line) is not None


def classify(data: bytes) -> Kind | None:
    """What speaks, or None while the bytes so far leave it open.

    Args:
        data: The first bytes of a connection, at least one.
    """
    if data == bytes((_TLS,)):
        return None
    for opening, kind in _OPENINGS:
        if data.startswith(opening):
            return kind
    line, end, _ = data.lstrip(b"\r\n").partition(b"\n")
    if line.startswith(_METHODS) or request_line(line):
        return "http"
    if any(byte < 0x20 and byte not in _TYPED for byte in data[:512]):  # noqa: PLR2004 - control bytes
        return "binary"
    if not end and any(opening.startswith(data) for opening in (WIRE, *_METHODS)):
        return None
    return "text"
