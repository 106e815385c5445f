"""encode/httpx#1171 and relatives: a request inside of a stream that has the only connection."""

from __future__ import annotations

import httpx

from tests.libraries.hangs.stage import hang, run, spawn
from tests.libraries.servers_http import Server

CLIENT = httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=None)


async def report(url):
    await CLIENT.get(url + "/short")


async def download(url):
    async with CLIENT.stream("GET", url + "/body"):
        await report(url)


async def main():
    url = await Server().start()
    spawn(download(url), "download")
    pool = CLIENT._transport._pool
    await hang(lambda: any(request.connection is None for request in pool._requests))


run(main)
