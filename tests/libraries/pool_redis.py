"""redis-py's blocking pool, exhausted. Usage: pool_redis.py PORT"""

from __future__ import annotations

import asyncio
import sys

from redis.asyncio import BlockingConnectionPool, Redis

from tests.libraries.stage import leave, look, run, spawn, until

POOL = BlockingConnectionPool(
    host="127.0.0.1", port=int(sys.argv[1]), max_connections=4, timeout=1000
)
CLIENT = Redis(connection_pool=POOL)


async def popping():
    await CLIENT.blpop("nothing", 1000)


async def watching(never):
    async with CLIENT.pipeline() as pipe:
        await pipe.watch("key")
        await never.wait()


async def listening(never):
    async with CLIENT.pubsub() as channel:
        await channel.subscribe("news")
        await never.wait()


async def explicit(never):
    connection = await POOL.get_connection()
    try:
        await never.wait()
    finally:
        await POOL.release(connection)


async def wants():
    await CLIENT.get("key")


async def main():
    never = asyncio.Event()
    makers = {
        "popping": popping(),
        "watching": watching(never),
        "listening": listening(never),
        "explicit": explicit(never),
    }
    for number, (name, coro) in enumerate(makers.items(), 1):
        spawn(coro, name)
        await until(lambda number=number: len(POOL._in_use_connections) == number, name)
    await until(lambda: len(never._waiters) == 3, "all of them hang")
    await asyncio.sleep(0.2)  # the pop is on its way
    for number, name in enumerate(("first", "second"), 1):
        spawn(wants(), name)
        await until(lambda number=number: len(POOL._condition._waiters) == number, name)
    await look("exhausted")
    del POOL._in_use_connections
    await look("unknown_version")
    leave()


run(main())
