"""A pool of asyncpg, exhausted. Usage: pool_asyncpg.py DSN"""

from __future__ import annotations

import asyncio
import sys

import asyncpg

import asyncconsole
from tests.libraries.stage import end, leave, look, run, spawn, until

POOL = None


class Repository:
    def __init__(self, pool):
        self.pool = pool

    async def slow(self):
        async with self.pool.acquire() as connection:
            await connection.execute("select pg_sleep(1000)")


async def idle(never):
    async with POOL.acquire():
        await never.wait()


async def explicit(never):
    connection = await POOL.acquire()
    try:
        await never.wait()
    finally:
        await POOL.release(connection)


async def using():
    connection = await POOL.acquire()
    try:
        async with connection.transaction():
            await connection.fetch("select pg_sleep(1000)")
    finally:
        await POOL.release(connection)


async def one_query():
    return await POOL.fetchval("select pg_sleep(1000)")


async def given_back_inside(pool, never):
    async with pool.acquire() as connection:
        await pool.release(connection)
        await never.wait()


async def both(pool, never):
    async with pool.acquire(), pool.acquire():
        await never.wait()


async def wants(timeout=None):
    async with POOL.acquire(timeout=timeout):
        pass


async def one_more(pool, arrived):
    async with pool.acquire():
        arrived.append(1)
        while len(arrived) < 2:
            await asyncio.sleep(0)
        async with pool.acquire():
            pass


def out(pool):
    return pool.get_size() - pool.get_idle_size()


async def main():
    global POOL  # noqa: PLW0603 - that the console finds the name of a global is what is tested
    POOL = await asyncpg.create_pool(sys.argv[1], min_size=1, max_size=5)
    never = asyncio.Event()
    makers = {
        "idle": idle(never),
        "slow": Repository(POOL).slow(),
        "explicit": explicit(never),
        "using": using(),
        "one_query": one_query(),
    }
    for number, (name, coro) in enumerate(makers.items(), 1):
        spawn(coro, name)
        await until(lambda number=number: out(POOL) == number, name)
    await asyncio.sleep(0.2)  # the queries are on their way
    for number, name in enumerate(("first", "second", "third"), 1):
        coro = wants(1000 if name == "second" else None)
        spawn(coro if name != "third" else asyncio.wait_for(coro, 1000), name)
        await until(lambda number=number: len(POOL._queue._getters) == number, name)
    await look("exhausted")
    slot = asyncpg.pool.Pool._queue
    del asyncpg.pool.Pool._queue
    await look("unknown_version")
    asyncpg.pool.Pool._queue = slot
    await end()
    POOL.terminate()

    pool = await asyncpg.create_pool(sys.argv[1], min_size=1, max_size=2)
    arrived = []
    for name in ("a", "b"):
        spawn(one_more(pool, arrived), name)
    await until(lambda: len(pool._queue._getters) == 2, "nested")
    await look("nested")
    await end()
    spawn(one_more(pool, [1, 1]), "a")
    await pool.acquire()
    await until(lambda: len(pool._queue._getters) == 1, "lent out")
    await look("one_lent_out")
    await end()

    pool = await asyncpg.create_pool(sys.argv[1], min_size=1, max_size=2)
    asyncconsole.name(pool, "the second pool")
    for number, make in enumerate((given_back_inside, both), 1):
        spawn(make(pool, never), make.__name__)
        await until(lambda number=number: len(never._waiters) == number, make.__name__)
    await look("given_back_inside")
    leave()


run(main())
