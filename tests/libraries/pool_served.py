"""An exhausted pool of aiohttp and an anyio lock, with the console on. Prints its port."""

from __future__ import annotations

import asyncio

import aiohttp
import anyio

import asyncconsole
from tests.libraries.servers_http import Server

LOCK = None


async def inside(session, url, never):
    async with session.get(url + "/body"):
        await never.wait()


async def bare(session, url, never):
    response = await session.get(url + "/body")
    await never.wait()
    response.close()


async def wants(session, url):
    async with session.get(url + "/short") as response:
        await response.read()


async def helper():
    await LOCK.acquire()


async def owner(never):
    await helper()  # which has ended since: no frame shows who took it
    await never.wait()


async def behind():
    async with LOCK:
        pass


async def main():
    global LOCK  # noqa: PLW0603 - names of globals are what is looked for
    LOCK = anyio.Lock()
    never = asyncio.Event()
    url = await Server().start()
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2))
    coroutines = {
        "inside": inside(session, url, never),
        "bare": bare(session, url, never),
        "wants": wants(session, url),
        "owner": owner(never),
        "behind": behind(),
    }
    tasks = []
    for name, coro in coroutines.items():
        tasks.append(asyncio.create_task(coro, name=name))
        await asyncio.sleep(0.1)
    console = asyncconsole.start(port=0, unix_socket=False)
    print(console.port, flush=True)
    await asyncio.wait(tasks)


asyncio.run(main())
