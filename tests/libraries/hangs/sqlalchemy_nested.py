"""A second checkout from SQLAlchemy's async pool while the first one is open.

sqlalchemy/sqlalchemy discussions of QueuePool limits, and aio-libs/aiopg#113 and #127: a helper
opens a session of its own while its caller is in a transaction.

Usage: sqlalchemy_nested.py DSN
"""

from __future__ import annotations

import sys

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.libraries.hangs.stage import hang, run, spawn, until

SIZE = 2
ENGINE = create_async_engine(
    sys.argv[1].replace("postgresql://", "postgresql+asyncpg://"),
    pool_size=SIZE,
    max_overflow=0,
    pool_timeout=None,
)
SESSIONS = async_sessionmaker(ENGINE)


async def log_visit(user):
    async with ENGINE.begin() as connection:
        await connection.execute(text("select :user"), {"user": str(user)})


async def handler(user, ready):
    async with SESSIONS() as session:
        await session.execute(text("select 1"))
        ready.append(user)
        await until(lambda: len(ready) == SIZE, "as many handlers as connections")
        await log_visit(user)


async def main():
    ready = []
    for user in range(SIZE):
        spawn(handler(user, ready), f"handler:{user}")
    queue = ENGINE.sync_engine.pool._pool
    await hang(lambda: len(ready) == SIZE and len(queue._queue._getters) == SIZE)


run(main)
