"""aiohttp's connector: the connections of a ``ClientSession``. Seen on 3.9 to 3.14.

``_acquired`` has what is out: a protocol, or a placeholder while it connects. A
response gives its connection back when its body has been read, so who is inside of
``async with session.get(...)`` has one only as long as the response does.
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
    held_by,
    need,
    one,
    pool_facts,
)
from asyncconsole.capture.objects import attribute
from asyncconsole.capture.readers.reader import Facts

MODULE = "aiohttp.client"


class _ConnectorReader(PoolReader):
    library = "aiohttp"

    def read(self, thing: Any) -> Facts:
        taken = len(need(thing, "_acquired"))
        most = need(thing, "_limit") or None
        each = need(thing, "_limit_per_host")
        queues = list(need(thing, "_waiters").values())
        waiting = [future for queue in queues for future in list(queue)]
        note = f", at most {each} per host" if each else ""
        more = (("per_host", each or None),)
        return pool_facts(taken, most, waiting, behind=True, note=note, more=more)

    def waited(self, levels: list[Level], future: Any) -> Any:
        thing = first(levels[0], self.type)
        if thing is None:
            return None
        queues = list(need(thing, "_waiters").values())
        return thing if any(future in queue for queue in queues) else None


def install(module: ModuleType, book: Book) -> None:
    """Learn aiohttp's client."""
    connector = sys.modules["aiohttp.connector"]
    base = connector.BaseConnector
    # Up to 3.10 ``connect`` waits itself.
    waits = codes(base, "connect", "_wait_for_available_connection")
    book.read(_ConnectorReader(base, waits))
    book.lend(attribute(connector, "Connection"), _of_connection)
    book.lend(attribute(module, "_BaseRequestContextManager"), _of_context)
    book.lend(attribute(module, "_SessionRequestContextManager"), _of_context)
    responses = sys.modules.get("aiohttp.client_reqrep")
    sockets = sys.modules.get("aiohttp.client_ws")
    book.lend(attribute(responses, "ClientResponse"), _of_response)
    book.lend(attribute(sockets, "ClientWebSocketResponse"), _of_socket)
    book.search(module, responses, sockets)
    placeholder = attribute(connector, "_TransportPlaceholder")

    def of_frame(owner: Any) -> Iterator[Loan]:
        thing = one(owner, base)
        acquired = need(thing, "_acquired")
        for item in held_by(owner):
            if type(item) is placeholder and item in acquired:
                yield Loan(thing, item)

    book.use(codes(base, "connect"), of_frame)
    book.lead(attribute(module, "ClientSession"), "_connector", ".connector")


def _of_context(context: Any) -> Iterator[Loan]:
    response = attribute(context, "_resp")
    if attribute(response, "_response") is not None:
        yield from _of_socket(response)
    elif response is not None:
        yield from _of_response(response)


def _of_socket(socket: Any) -> Iterator[Loan]:
    yield from _of_response(attribute(socket, "_response"))


def _of_response(response: Any) -> Iterator[Loan]:
    yield from _of_connection(attribute(response, "_connection"))


def _of_connection(connection: Any) -> Iterator[Loan]:
    protocol = attribute(connection, "_protocol")
    thing = attribute(connection, "_connector")
    if protocol is not None and protocol in need(thing, "_acquired"):
        yield Loan(thing, protocol)
