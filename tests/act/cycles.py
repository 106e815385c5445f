"""Await cycles through a TaskGroup, cancelled at each of their tasks in turn.

Runs in a child process on every interpreter that has TaskGroups; prints what came of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from asyncconsole.act.cancel import Request, ask, watch


async def group(children, tasks):
    """A task in a TaskGroup whose children await it."""

    async def parent():
        async with asyncio.TaskGroup() as made:
            for index in range(children):
                tasks[f"child-{index}"] = made.create_task(child())

    async def child():
        await tasks["parent"]

    tasks["parent"] = asyncio.create_task(parent())


async def cancelled(make, children, name):
    tasks = {}
    await make(children, tasks)
    for _ in range(5):
        await asyncio.sleep(0)
    request = Request(tasks[name], 1, name)
    ask([request])
    await watch([request], 2)
    await asyncio.wait(tasks.values(), timeout=2)
    return [request.outcome, [task.done() for task in tasks.values()]]


async def main():
    found = {}
    for children, name in ((1, "parent"), (1, "child-0"), (3, "parent")):
        found[f"{name} of {children}"] = await cancelled(group, children, name)
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.new_event_loop().run_until_complete(main())))
    sys.stdout.flush()
    os._exit(0)  # what could not be cancelled must not keep it
