"""SQLAlchemy's queue pool behind an ``AsyncEngine``. Seen on 2.0 and 2.1.

The engine works in greenlets: what its synchronous inside awaits is awaited by
``greenlet_spawn``, whose frame knows the method it runs, and so engine and pool. A
session has a connection from its first statement to its commit, rollback or close.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from asyncconsole.capture.chain import Level
from asyncconsole.capture.libraries.library import (
    Book,
    Loan,
    PoolReader,
    awaited_queue,
    code_of,
    follow,
    held_by,
    need,
    pool_facts,
)
from asyncconsole.capture.objects import attribute, instance_dict
from asyncconsole.capture.readers.reader import Facts, futures_of

MODULE = "sqlalchemy.ext.asyncio.session"
MOST_BINDS = 100
"""Engines of one session that are looked at."""

DEEPEST = 20
"""Savepoints inside each other that are looked at."""


class _PoolReader(PoolReader):
    library = "sqlalchemy"

    def read(self, thing: Any) -> Facts:
        inner = need(thing, "_pool")
        size, overflow, more = (
            need(inner, "maxsize"),
            need(thing, "_overflow"),
            need(thing, "_max_overflow"),
        )
        queue = _queue(thing)
        free = len(need(queue, "_queue")) if queue is not None else 0
        taken = size - free + overflow
        most = size + more if more >= 0 else None
        waiting = futures_of(queue, "_getters") if queue is not None else ()
        return pool_facts(taken, most, waiting)

    def waited(self, levels: list[Level], future: Any) -> Any:
        queue = awaited_queue(levels)
        if queue is None:
            return None  # it talks to the database
        pools = _pools(levels[0].owner, self.type)
        return next((pool for pool in pools if _queue(pool) is queue), None)


def _queue(pool: Any) -> Any:
    """The asyncio queue of a pool; None before it is first used."""
    return instance_dict(need(pool, "_pool")).get("_queue")


def _pools(owner: Any, wanted: type) -> Iterator[Any]:
    """Pools of the engines that a ``greenlet_spawn`` works for."""
    for item in held_by(owner):
        things = list(item) if type(item) is tuple else [item]
        for thing in things:
            subject = thing.__self__ if type(thing) is types.MethodType else thing
            for engine in _engines(subject):
                pool = attribute(engine, "pool")
                if issubclass(type(pool), wanted):
                    yield pool


def _engines(subject: Any) -> Iterator[Any]:
    """An engine, or those of a connection or session."""
    bound = attribute(subject, "bind")
    binds = attribute(subject, "_Session__binds")
    some = list(binds.values())[:MOST_BINDS] if type(binds) is dict else []
    for thing in (subject, bound, *some):
        if thing is not None:
            yield thing
            yield attribute(thing, "engine")


def install(module: ModuleType, book: Book) -> None:
    """Learn SQLAlchemy's asyncio extension."""
    engine = sys.modules["sqlalchemy.ext.asyncio.engine"]
    impl = sys.modules["sqlalchemy.pool.impl"]
    spawn = code_of(attribute(engine, "greenlet_spawn"))
    waits = [spawn] if spawn is not None else []
    book.read(_PoolReader(impl.QueuePool, waits))
    book.lend(attribute(engine, "AsyncConnection"), _of_connection)
    book.lend(attribute(engine, "AsyncTransaction"), _of_transaction)
    book.lend(attribute(module, "AsyncSession"), _of_session)
    book.lend(attribute(module, "AsyncSessionTransaction"), _of_session_transaction)
    book.lend(attribute(module, "_AsyncSessionContextManager"), _of_session_context)
    book.search(module, engine)
    book.lead(attribute(engine, "AsyncEngine"), "sync_engine.pool", ".pool")
    book.lead(attribute(sys.modules.get("sqlalchemy.engine.base"), "Engine"), "pool")


def _of_session_context(context: Any) -> Iterator[Loan]:
    yield from _of_session(attribute(context, "async_session"))


def _of_session_transaction(transaction: Any) -> Iterator[Loan]:
    yield from _of_session(attribute(transaction, "session"))


def _of_transaction(transaction: Any) -> Iterator[Loan]:
    yield from _of_connection(attribute(transaction, "connection"))


def _of_session(session: Any) -> Iterator[Loan]:
    inner = attribute(session, "sync_session")
    begun = attribute(inner, "_nested_transaction") or attribute(inner, "_transaction")
    seen: set[int] = set()
    for _ in range(DEEPEST):
        if begun is None:
            break
        for connection in list(need(begun, "_connections")):
            for loan in _of_sync(connection):
                if id(loan.item) not in seen:
                    seen.add(id(loan.item))
                    yield loan
        begun = attribute(begun, "_parent")


def _of_connection(connection: Any) -> Iterator[Loan]:
    yield from _of_sync(attribute(connection, "sync_connection"))


def _of_sync(connection: Any) -> Iterator[Loan]:
    fairy = attribute(connection, "_dbapi_connection")
    record = follow(fairy, "_connection_record")
    if record is not None and attribute(record, "fairy_ref") is not None:
        yield Loan(need(fairy, "_pool"), record)
