"""httpcore's connection pool, the one behind ``httpx.AsyncClient``. Seen on 1.0.

``_requests`` has every request under way; those without a connection wait. A request
ends when the body of its response has been read or closed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from asyncconsole.capture.chain import Level
from asyncconsole.capture.libraries.library import (
    Book,
    Loan,
    PoolReader,
    codes,
    first,
    follow,
    need,
    one,
    pool_facts,
)
from asyncconsole.capture.objects import attribute
from asyncconsole.capture.readers.reader import Facts, futures_of

MODULE = "httpcore._async.connection_pool"


class _PoolReader(PoolReader):
    library = "httpcore"

    def __init__(self, module: ModuleType) -> None:
        cls = module.AsyncConnectionPool
        super().__init__(cls, codes(cls, "handle_async_request"))
        self._request: type = module.AsyncPoolRequest
        self._wait = set(codes(self._request, "wait_for_connection"))

    def read(self, thing: Any) -> Facts:
        requests = list(need(thing, "_requests"))
        most = need(thing, "_max_connections")
        most = most if type(most) is int and most < sys.maxsize else None
        busy = [need(request, "connection") for request in requests]
        # One connection of HTTP/2 serves several requests.
        taken = len({id(connection) for connection in busy if connection is not None})
        queued = [request for request in requests if need(request, "connection") is None]
        waiting = [future for request in queued for future in _futures(request)]
        return pool_facts(taken, most, waiting, behind=True)

    def waited(self, levels: list[Level], future: Any) -> Any:
        if len(levels) == 1 or levels[1].code not in self._wait:
            return None
        request = first(levels[0], self._request)
        waits = request is not None and need(request, "connection") is None
        return first(levels[0], self.type) if waits else None


def _futures(request: Any) -> tuple[Any, ...]:
    """Futures of the task that waits for a request's turn."""
    event = follow(request, "_connection_acquired._anyio_event")
    for name in ("_internal_event", "_event"):  # anyio's event around asyncio's
        event = attribute(event, name) or event
    return futures_of(event, "_waiters")


def install(module: ModuleType, book: Book) -> None:
    """Learn httpcore."""
    reader = _PoolReader(module)
    request = module.AsyncPoolRequest

    def of_frame(owner: Any) -> Iterator[Loan]:
        mine = one(owner, request)
        connection = attribute(mine, "connection")
        if connection is not None:
            yield Loan(one(owner, reader.type), connection)

    book.read(reader)
    book.use(reader.waits, of_frame)
    book.lend(attribute(module, "PoolByteStream"), of_stream)
    models = sys.modules.get("httpcore._models")
    book.lend(attribute(models, "Response"), of_response)
    book.search(module, sys.modules.get("httpcore._async.interfaces"))


def of_response(response: Any) -> Iterator[Loan]:
    """What a response has whose body is a stream of the pool."""
    yield from of_stream(attribute(response, "stream"))


def of_stream(stream: Any) -> Iterator[Loan]:
    """What a response's body has until it is closed; nothing for other streams."""
    connection = follow(stream, "_pool_request.connection")
    if connection is not None and attribute(stream, "_closed") is False:
        yield Loan(need(stream, "_pool"), connection)
