"""aio-libs/aiohttp#2217 and relatives: a request inside of an unread response, with `limit=1`."""

from __future__ import annotations

import aiohttp

from tests.libraries.hangs.stage import hang, run, spawn
from tests.libraries.servers_http import Server


async def follow(session, url):
    async with session.get(url + "/short") as response:
        return await response.text()


async def crawl(session, url):
    async with session.get(url + "/body"):
        return await follow(session, url)


async def main():
    url = await Server().start()
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1), timeout=aiohttp.ClientTimeout(total=None)
    )
    spawn(crawl(session, url), "crawl")
    await hang(lambda: sum(map(len, session.connector._waiters.values())) == 1)


run(main)
