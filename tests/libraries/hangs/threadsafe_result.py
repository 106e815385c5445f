"""python/cpython#121075, empicano/aiomqtt#174: `run_coroutine_threadsafe(...).result()`.

It is right in a callback that a thread calls; this one is called by the loop.
"""

from __future__ import annotations

import asyncio

from tests.libraries.hangs.stage import run, spawn, tell


async def publish(topic):
    await asyncio.sleep(0)
    return topic


def on_message(loop, topic):
    return asyncio.run_coroutine_threadsafe(publish(topic), loop).result()


async def subscriber():
    on_message(asyncio.get_running_loop(), "house/temperature")


async def main():
    tell()
    await asyncio.sleep(0.3)
    await spawn(subscriber(), "subscriber")


run(main)
