"""redis-py's asyncio connection pools. Seen on 5.0 to 8.1.

Only a ``BlockingConnectionPool`` lets tasks wait, on its ``_condition``; the plain pool
raises. A command has a connection while it runs, a pipeline from its first command or
``WATCH``, a ``PubSub`` from its first subscription.
"""

from __future__ import annotations

import asyncio
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
from asyncconsole.capture.readers.reader import Facts, futures_of

MODULE = "redis.asyncio.client"
UNLIMITED = 2**31
"""The default limit of pools up to 6: none."""


class _PoolReader(PoolReader):
    library = "redis"

    def read(self, thing: Any) -> Facts:
        taken = len(_out(thing))
        most = need(thing, "max_connections")
        most = most if type(most) is int and most < UNLIMITED else None
        condition = attribute(thing, "_condition")
        waiting = futures_of(condition, "_waiters") if condition is not None else ()
        return pool_facts(taken, most, waiting)

    def waited(self, levels: list[Level], future: Any) -> Any:
        thing = first(levels[0], self.type)
        condition = attribute(thing, "_condition")
        if condition is None or len(levels) == 1:
            return None
        inner = first(levels[1], asyncio.Condition)
        lock = first(levels[1], asyncio.Lock)  # what ``async with`` the condition waits for
        within = inner is condition or (lock is not None and lock is attribute(condition, "_lock"))
        return thing if within else None

    def parts(self, thing: Any) -> tuple[Any, ...]:
        condition = attribute(thing, "_condition")
        return condition, attribute(condition, "_lock"), attribute(thing, "_lock")


def _out(pool: Any) -> list[Any]:
    """Connections that are out; after ``reset()`` they are kept in a weak set."""
    found = need(pool, "_in_use_connections")
    if type(found) is set:
        return list(found)
    data = need(found, "data")
    return [item for item in (reference() for reference in list(data)) if item is not None]


def install(module: ModuleType, book: Book) -> None:
    """Learn redis.asyncio."""
    connection = sys.modules["redis.asyncio.connection"]
    pool = connection.ConnectionPool
    waits = codes(attribute(connection, "BlockingConnectionPool"), "get_connection")
    book.read(_PoolReader(pool, waits))
    client = module.Redis
    book.lend(client, _of_client, frames=False)  # its one connection serves every task
    for name in ("Pipeline", "PubSub", "Monitor"):
        book.lend(attribute(module, name), _of_client)
    book.search(module)

    def of_frame(owner: Any) -> Iterator[Loan]:
        thing = one(owner, client)
        shared = attribute(thing, "connection")
        out = _out(need(thing, "connection_pool"))
        for item in held_by(owner):
            if item is not shared and any(item is other for other in out):
                yield Loan(need(thing, "connection_pool"), item)

    book.use(codes(client, "execute_command"), of_frame)
    book.lead(client, "connection_pool")
    book.lead(attribute(module, "PubSub"), "connection_pool")


def _of_client(client: Any) -> Iterator[Loan]:
    connection = attribute(client, "connection")
    if connection is not None:
        pool = need(client, "connection_pool")
        if any(connection is other for other in _out(pool)):
            yield Loan(pool, connection)
