"""Build targets await each other's tasks, with a diamond; the one at the bottom compiles for long."""

import asyncio

EXPECT = {"healthy": True, "like": "await_cycle"}

NEEDS = {
    "headers": [],
    "core": ["headers"],
    "gui": ["core"],
    "net": ["core"],
    "app": ["gui", "net", "core"],
}


async def build(target, tasks):
    if NEEDS[target]:
        await asyncio.gather(*(asyncio.shield(tasks[other]) for other in NEEDS[target]))
    for _file in range(400):
        await asyncio.sleep(0.2)
    return target


async def main():
    tasks = {}
    for target in NEEDS:
        tasks[target] = asyncio.create_task(build(target, tasks), name=f"build:{target}")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await tasks["app"]


if __name__ == "__main__":
    asyncio.run(main())
