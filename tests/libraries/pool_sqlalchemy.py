"""SQLAlchemy's pool over asyncpg, exhausted. Usage: pool_sqlalchemy.py DSN"""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from tests.libraries.stage import end, leave, look, run, spawn, until

URL = sys.argv[1].replace("postgresql://", "postgresql+asyncpg://")
ENGINE = create_async_engine(URL, pool_size=4, max_overflow=3, pool_timeout=1000)
SESSION = async_sessionmaker(ENGINE)


async def connected(never):
    async with ENGINE.connect():
        await never.wait()


async def begun(never):
    async with ENGINE.begin() as connection:
        await connection.execute(text("select 1"))
        await never.wait()


async def session(never):
    async with SESSION() as mine:
        await mine.execute(text("select 1"))
        await never.wait()


async def maker_begin(never):
    async with SESSION.begin() as mine:
        await mine.execute(text("select 1"))
        await never.wait()


async def explicit(never):
    connection = await ENGINE.connect()
    try:
        await never.wait()
    finally:
        await connection.close()


async def querying():
    connection = await ENGINE.connect()
    await connection.execute(text("select pg_sleep(1000)"))


async def in_session():
    mine = AsyncSession(ENGINE)
    await mine.execute(text("select pg_sleep(1000)"))


async def committed(never):
    async with SESSION() as mine:
        await mine.execute(text("select 1"))
        await mine.commit()
        await never.wait()


async def wants():
    async with ENGINE.connect():
        pass


async def session_wants():
    async with SESSION() as mine:
        await mine.execute(text("select 1"))


async def main():
    never = asyncio.Event()
    pool = ENGINE.sync_engine.pool
    # the same loop twice: the queue of the pool is made when it is first waited for
    makers = (connected, begun, session, maker_begin, explicit)
    for number, make in enumerate(makers, 1):
        spawn(make(never), make.__name__)
        await until(lambda number=number: pool.checkedout() == number, make.__name__)
    for number, make in enumerate((querying, in_session), len(makers) + 1):
        spawn(make(), make.__name__)
        await until(lambda number=number: pool.checkedout() == number, make.__name__)
    await asyncio.sleep(0.5)  # the queries are on their way
    for number, make in enumerate((wants, session_wants), 1):
        spawn(make(), make.__name__)
        await until(lambda number=number: len(pool._pool._queue._getters) == number, make.__name__)
    await look("exhausted")
    inner = pool._pool
    del pool._pool
    await look("unknown_version")
    pool._pool = inner
    await end()
    spawn(committed(never), "committed")
    await until(lambda: never._waiters, "committed")
    await look("committed")
    leave()


run(main())
