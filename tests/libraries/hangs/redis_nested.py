"""A command on the pool inside of a transaction on its only connection.

redis/redis-py#3034, #3056 and relatives: BlockingConnectionPool without a timeout.

Usage: redis_nested.py PORT
"""

from __future__ import annotations

import sys

import redis.asyncio

from tests.libraries.hangs.stage import hang, run, spawn

POOL = redis.asyncio.BlockingConnectionPool(
    host="127.0.0.1", port=int(sys.argv[1]), max_connections=1, timeout=None
)
CLIENT = redis.asyncio.Redis(connection_pool=POOL)


async def price(item):
    return await CLIENT.get(f"price:{item}")


async def checkout(item):
    async with CLIENT.pipeline() as pipe:
        await pipe.watch(f"stock:{item}")
        await price(item)


async def main():
    spawn(checkout("book"), "checkout")
    await hang(lambda: bool(getattr(POOL, "_condition", None) and POOL._condition._waiters))


run(main)
