"""httpx over httpcore's pool, exhausted. Usage: pool_httpx.py"""

from __future__ import annotations

import asyncio

import httpx

from tests.libraries.servers_http import Server
from tests.libraries.stage import leave, look, run, spawn, until

CLIENT = httpx.AsyncClient(limits=httpx.Limits(max_connections=4), timeout=1000)


async def requesting(url):
    await CLIENT.get(url + "/never")


async def reading(url):
    await CLIENT.get(url + "/body")


async def streaming(url, never):
    async with CLIENT.stream("GET", url + "/body"):
        await never.wait()


async def bare(url, never):
    response = await CLIENT.send(CLIENT.build_request("GET", url + "/body"), stream=True)
    await never.wait()
    await response.aclose()


async def wants(url):
    await CLIENT.get(url + "/short")


async def main():
    never = asyncio.Event()
    server = Server()
    url = await server.start()
    pool = CLIENT._transport._pool
    makers = {
        "requesting": requesting(url),
        "reading": reading(url),
        "streaming": streaming(url, never),
        "bare": bare(url, never),
    }
    for number, (name, coro) in enumerate(makers.items(), 1):
        spawn(coro, name)
        await until(lambda number=number: len(pool._requests) == number, name)
    await until(lambda: len(never._waiters) == 2, "all of them hang")
    await asyncio.sleep(0.2)  # the requests are on their way
    for number, name in enumerate(("first", "second"), 5):
        spawn(wants(url), name)
        await until(lambda number=number: len(pool._requests) == number, name)
    await asyncio.sleep(0.1)
    await look("exhausted")
    del pool._requests
    await look("unknown_version")
    leave()


run(main())
