"""An eager task that ends while it is made: read, and remembered as ended. Prints JSON."""

from __future__ import annotations

import asyncio
import json

from asyncconsole.capture import futures
from asyncconsole.capture.endings import End


async def at_once():
    return 42


async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    task = asyncio.create_task(at_once(), name="at once")
    ending = End(task, 1, None)
    found = futures.coroutine(task)
    return {"coro": repr(found), "name": ending.name, "result": ending.result}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
