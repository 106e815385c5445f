"""A program with primitives of every kind in every place; its console is asked by a test.

Prints the console's port, then one line for each line it reads.
"""

import asyncio
import gc
import sys
import threading

import asyncconsole

try:
    import anyio
except ImportError:
    anyio = None

IDLE = asyncio.Lock()
LOCKS = {"alice": asyncio.Lock(), "bob": asyncio.Lock()}
KEPT = {}
Barrier = getattr(asyncio, "Barrier", None)


class Trap:
    """Code that no walk may run."""

    def __init__(self):
        self.inside = asyncio.Semaphore(3)

    def __getattribute__(self, name):
        if name == "inside" or name.startswith("__"):
            KEPT["trapped"] = name
        return object.__getattribute__(self, name)

    def __repr__(self):
        KEPT["trapped"] = "repr"
        return "trap"

    def __hash__(self):
        return 1

    def __eq__(self, other):
        KEPT["trapped"] = "eq"
        return True


class Slotted:
    __slots__ = ("gate",)

    def __init__(self):
        self.gate = asyncio.Event()


class Shop:
    orders = asyncio.Queue(5) if sys.version_info >= (3, 10) else None

    def __init__(self):
        self.bound = asyncio.BoundedSemaphore(2)
        self.news = asyncio.Condition()
        self.nested = [{"deep": (Slotted(),)}]


SHOP = Shop()
TRAP = {Trap(): 1, "trap": Trap()}


async def keeper(ready):
    local = asyncio.PriorityQueue()
    own = asyncio.Lock()
    async with own:
        ready.set_result(None)
        await asyncio.Event().wait()
    await local.get()


async def waiter():
    async with LOCKS["alice"]:
        await asyncio.sleep(3600)


async def main():
    KEPT["frozen"] = asyncio.LifoQueue()
    gc.freeze()  # as servers do before they fork workers
    if Barrier is not None:
        KEPT["barrier"] = Barrier(4)
    if anyio is not None:
        KEPT["anyio"] = anyio.Event()
    ready = asyncio.get_running_loop().create_future()
    tasks = [asyncio.create_task(keeper(ready), name="keeper")]
    tasks += [asyncio.create_task(waiter(), name=f"w{number}") for number in range(2)]
    await ready
    cycle = [asyncio.Lock()]
    cycle.append(cycle)
    del cycle  # garbage that nothing leads to
    await asyncio.sleep(0.01)
    KEPT.pop("trapped", None)
    print(console.port, flush=True)
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            break
        if line.strip() == "block":
            print("blocked", flush=True)
            sys.stdin.readline()
        elif line.strip() == "freed":
            LOCKS.pop("bob", None)
        print(KEPT.pop("trapped", "fine"), len(tasks), threading.active_count(), flush=True)


console = asyncconsole.start(port=0, track_tasks=False)
gc.disable()
asyncio.run(main())
