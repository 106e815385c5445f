"""aiohttp's connector, exhausted, against a server of its own. Usage: pool_aiohttp.py"""

from __future__ import annotations

import asyncio

import aiohttp

from tests.libraries.servers_http import Server
from tests.libraries.stage import leave, look, run, spawn, until


async def reading(session, url):
    async with session.get(url + "/body") as response:
        await response.read()


async def inside(session, url, never):
    async with session.get(url + "/body"):
        await never.wait()


async def read_to_the_end(session, url, never):
    async with session.get(url + "/short") as response:
        await response.read()
        await never.wait()


async def requesting(session, url):
    await session.get(url + "/never")


async def bare(session, url, never):
    response = await session.get(url + "/body")
    await never.wait()
    response.close()


async def socket(session, url, never):
    async with session.ws_connect(url + "/ws"):
        await never.wait()


async def wants(session, url):
    async with session.get(url + "/short") as response:
        await response.read()


async def main():
    never = asyncio.Event()
    server = Server()
    url = await server.start()
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=5))
    connector = session._connector
    spawn(read_to_the_end(session, url, never), "read_to_the_end")
    await until(lambda: never._waiters, "read_to_the_end")
    makers = {
        "reading": reading(session, url),
        "inside": inside(session, url, never),
        "requesting": requesting(session, url),
        "bare": bare(session, url, never),
        "socket": socket(session, url, never),
    }
    for number, (name, coro) in enumerate(makers.items(), 1):
        spawn(coro, name)
        await until(lambda number=number: len(connector._acquired) == number, name)
    await until(lambda: len(never._waiters) == 4, "all of them hang")
    for number, name in enumerate(("first", "second"), 1):
        spawn(wants(session, url), name)
        await until(
            lambda number=number: sum(map(len, connector._waiters.values())) == number, name
        )
    await look("exhausted")
    del connector._acquired
    await look("unknown_version")
    leave()


run(main())
