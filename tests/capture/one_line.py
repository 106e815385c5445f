"""Blocks on the line of their header: two expressions, of which one names what is waited for."""

from __future__ import annotations

import asyncio
import json
import threading

import asyncconsole

# fmt: off
# ruff: noqa: E701 - one line each is what this is about


async def holds(lock, until):
    async with lock: await until


async def waits(door, until):
    async with door: await until.wait()


async def guards(guard, until):
    with guard: await until.wait()


async def main():
    future = asyncio.get_running_loop().create_future()
    event, door = asyncio.Event(), asyncio.Lock()
    await door.acquire()
    tasks = [
        asyncio.create_task(holds(asyncio.Lock(), future)),
        asyncio.create_task(waits(door, event)),
        asyncio.create_task(guards(threading.Lock(), event)),
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    snapshot = await asyncio.to_thread(asyncconsole.snapshot)
    print(json.dumps(sorted([thing.type, thing.name] for thing in snapshot.resources)))
    for task in tasks:
        task.cancel()


asyncio.run(main())
