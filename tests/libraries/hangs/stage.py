"""What the programs of this folder share; runs in the child.

Each is a reported hang with the real library. It prints the console's port once it hangs.
"""

from __future__ import annotations

import asyncio
import os
import time

import asyncconsole


async def until(condition, what):
    """Wait until something of the program's has happened."""
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        await asyncio.sleep(0.01)


async def heartbeat():
    """Every service has something that goes on: it is never quite idle."""
    while True:
        await asyncio.sleep(0.1)


def spawn(coro, name):
    return asyncio.get_running_loop().create_task(coro, name=name)


async def hang(hung):
    """Tell where the console is once the program hangs, and wait to be ended."""
    await until(hung, "it does not hang")
    await asyncio.sleep(0.3)
    tell()
    await asyncio.sleep(1000)


def tell():
    """Print where the console is."""
    print(asyncconsole.start(port=0, unix_socket=False).port, flush=True)


def run(main):
    """Run the program with the console on; whatever hangs does not keep it."""

    async def whole():
        asyncconsole.start(port=0, unix_socket=False)
        beating = spawn(heartbeat(), "heartbeat")
        await main()
        beating.cancel()

    asyncio.run(whole())
    os._exit(0)
