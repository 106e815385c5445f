"""MagicStack/asyncpg#5: `pool.acquire()` inside of `pool.acquire()`, under load.

Usage: asyncpg_nested.py DSN
"""

from __future__ import annotations

import sys

import asyncpg

from tests.libraries.hangs.stage import hang, run, spawn, until

SIZE = 2


async def audit(pool, user):
    async with pool.acquire() as connection:
        await connection.execute("select $1::int", user)


async def request(pool, user, ready):
    async with pool.acquire() as connection:
        await connection.fetchval("select $1::int", user)
        ready.append(user)
        await until(lambda: len(ready) == SIZE, "as many requests as connections")
        await audit(pool, user)


async def main():
    pool = await asyncpg.create_pool(sys.argv[1], min_size=SIZE, max_size=SIZE)
    ready = []
    tasks = [spawn(request(pool, user, ready), f"request:{user}") for user in range(SIZE + 1)]
    await hang(lambda: len(pool._queue._getters) == len(tasks))


run(main)
