"""asyncpg's pool. Seen on 0.28 to 0.32.

A pool keeps a ``PoolConnectionHolder`` per connection: free ones lie in ``_queue``, a
LIFO queue on which ``acquire()`` waits. What is not in it is out, or about to be.
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
    awaited_queue,
    codes,
    first,
    follow,
    held_by,
    inner_codes,
    need,
    pool_facts,
)
from asyncconsole.capture.objects import attribute
from asyncconsole.capture.readers.reader import Facts, futures_of

MODULE = "asyncpg.pool"


class _PoolReader(PoolReader):
    library = "asyncpg"

    def read(self, thing: Any) -> Facts:
        queue = need(thing, "_queue")
        size = len(need(thing, "_holders"))
        taken = size - len(need(queue, "_queue"))
        return pool_facts(taken, size, futures_of(queue, "_getters"))

    def waited(self, levels: list[Level], future: Any) -> Any:
        thing = first(levels[0], self.type)
        queue = awaited_queue(levels)
        if thing is None or queue is None:
            return None  # it has a connection and sets it up
        return thing if queue is need(thing, "_queue") else None

    def anchor(self, thing: Any) -> Any:
        return attribute(thing, "_queue")  # a Pool has no slot for weak references


def install(module: ModuleType, book: Book) -> None:
    """Learn asyncpg."""
    pool = module.Pool
    acquire = codes(pool, "_acquire")
    acquire += inner_codes(acquire, "_acquire_impl")
    book.read(_PoolReader(pool, acquire))
    book.lend(attribute(module, "PoolAcquireContext"), _of_context)
    book.lend(attribute(module, "PoolConnectionProxy"), _of_proxy)
    connection = sys.modules.get("asyncpg.connection")
    book.lend(attribute(connection, "Connection"), _of_connection)
    names = ("connection", "cursor", "prepared_stmt", "transaction")
    book.search(*(sys.modules.get(f"asyncpg.{name}") for name in names))
    holder = module.PoolConnectionHolder

    def of_frame(owner: Any) -> Iterator[Loan]:
        for item in held_by(owner):
            if type(item) is holder:
                yield from _of_holder(item)

    book.use([*acquire, *codes(pool, "release"), *codes(holder, "acquire", "release")], of_frame)


def _of_context(context: Any) -> Iterator[Loan]:
    yield from _of_proxy(attribute(context, "connection"))


def _of_connection(connection: Any) -> Iterator[Loan]:
    yield from _of_proxy(attribute(connection, "_proxy"))


def _of_proxy(proxy: Any) -> Iterator[Loan]:
    holder = attribute(proxy, "_holder")
    # A proxy that was given back still knows its holder, which may have another by now.
    if holder is not None and need(holder, "_proxy") is proxy:
        yield from _of_holder(holder)


def _of_holder(holder: Any) -> Iterator[Loan]:
    free = need(follow(holder, "_pool._queue"), "_queue")
    if not any(item is holder for item in list(free)):
        yield Loan(need(holder, "_pool"), holder)
