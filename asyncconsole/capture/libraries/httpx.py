"""httpx: who has a connection of the httpcore pool behind it. Seen on 0.26 to 0.28."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from asyncconsole.capture.libraries.httpcore import of_stream
from asyncconsole.capture.libraries.library import Book, Loan
from asyncconsole.capture.objects import attribute

MODULE = "httpx._client"
DEEPEST = 5
"""Streams around the pool's own that are looked through."""


def install(module: ModuleType, book: Book) -> None:
    """Learn httpx."""
    models = sys.modules.get("httpx._models")
    transports = sys.modules.get("httpx._transports.default")
    book.lend(attribute(models, "Response"), _of_response)
    book.search(module, models, transports)
    book.lead(attribute(module, "AsyncClient"), "_transport._pool")
    book.lead(attribute(transports, "AsyncHTTPTransport"), "_pool")


def _of_response(response: Any) -> Iterator[Loan]:
    stream = attribute(response, "stream")
    for _ in range(DEEPEST):
        if stream is None:
            return
        yield from of_stream(stream)
        stream = attribute(stream, "_stream") or attribute(stream, "_httpcore_stream")
