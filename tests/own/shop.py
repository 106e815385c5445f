"""A program with commands of its own. Usage: shop.py LOOP [read-only]; it prints its port.

Each line of stdin makes it do something: ``late`` adds a command, ``again`` decorates one again,
``few`` lets few calls be left behind, ``block`` blocks its loop until ``free``.
"""

import asyncio
import contextlib
import dataclasses
import enum
import json
import sys
import threading
from typing import Annotated, Literal, Optional

import asyncconsole
from asyncconsole.own import call
from tests.loops import run_coroutine

FREE = threading.Event()
STARTED = threading.Event()
LOOP = []


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Order:
    item: str
    price: float
    paid: bool


@asyncconsole.command
def greet(
    name: str,
    times: int = 1,
    *more: str,
    loud: bool = False,
    mode: Literal["short", "long"] = "short",
    level: Level = Level.LOW,
    suffix: Optional[str] = None,  # noqa: UP045 - as people write it
    factor: float = 1.5,
) -> str:
    """Greet somebody.

    More than once if need be, 100 %.

    Args:
        name: Who it is.
        times: How often.
        more: Who else,
            as many as there are.
        loud: In capitals.

    Returns:
        The greeting.
    """
    text = f"hello {name} {times} {more} {mode} {level} {suffix} {factor}"
    return text.upper() if loud else text


@asyncconsole.command("orders", aliases=("o",))
def list_orders():
    """All orders."""
    return [Order("tea", 2.5, True), {"item": "a\ncup", "price": float("nan"), "note": Level.HIGH}]


@asyncconsole.command
def stock() -> dict:
    return {"tea": 3, "cups": [1, 2], "at": object}


@asyncconsole.command
async def where_am_i(pause: Annotated[float, "seconds"] = 0.0):
    """Where a coroutine function runs."""
    await asyncio.sleep(pause)
    here = asyncio.get_running_loop() is LOOP[0]
    return [threading.current_thread().name, here, asyncio.current_task().get_name()]


@asyncconsole.command(where="console")
async def beside():
    await asyncio.sleep(0)
    return asyncio.get_running_loop() is LOOP[0]


@asyncconsole.command
def thread():
    asyncio.run(asyncio.sleep(0))
    return threading.current_thread() is threading.main_thread()


@asyncconsole.command(where="program")
def inside():
    return asyncio.get_running_loop() is LOOP[0]


@asyncconsole.command(effect="write")
def reload(*, dry_run: bool = True, shards: int):
    return f"reloaded {dry_run} {shards}"


@asyncconsole.command
def broken(how: str = "value"):
    raise {"value": ValueError, "exit": SystemExit, "keys": KeyboardInterrupt}[how](
        "bad\x1b[31m host"
    )


@asyncconsole.command(where="program")
async def broken_inside(how: str = "value"):
    await asyncio.sleep(0)
    broken(how)


class Rude:
    def __repr__(self):
        raise RuntimeError("no repr")


@asyncconsole.command
def rude():
    return [Rude(), 10**6000]


@asyncconsole.command
def many():
    return list(range(10_007))


@asyncconsole.command(deadline=0.5)
async def hangs():
    await asyncio.get_running_loop().create_future()


@asyncconsole.command(deadline=0.5)
async def spins():
    while True:
        pass


@asyncconsole.command(deadline=0.5)
async def stubborn():
    while not FREE.is_set():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.02)


@asyncconsole.command(deadline=0.5)
def sleeps():
    FREE.wait(60)


@asyncconsole.command(deadline=0.5)
def spins_beside():
    while True:
        pass


@asyncconsole.command(deadline=30)
async def waits():
    try:
        print("waits", flush=True)  # Ctrl-C may hit here already
        await asyncio.get_running_loop().create_future()
    finally:
        print("waited", flush=True)


def late():
    @asyncconsole.command
    def added():
        return "added"


def again():
    @asyncconsole.command("greet")
    def another():
        return "another"


def block():
    STARTED.set()
    FREE.wait(60)


async def main():
    loop = asyncio.get_running_loop()
    LOOP.append(loop)
    console = asyncconsole.start(
        port=0, unix_socket=False, read_only="read-only" in sys.argv, stall_threshold=0.2
    )
    print(json.dumps({"port": console.port}), flush=True)
    ended = loop.create_future()

    def listen():
        for line in sys.stdin:
            word = line.strip()
            if word == "block":
                loop.call_soon_threadsafe(block)
                STARTED.wait(60)
            elif word == "free":
                FREE.set()
            elif word == "few":
                call.MOST_BEHIND = 3
            elif word in ("late", "again"):
                globals()[word]()
            print(word, flush=True)
        FREE.set()
        loop.call_soon_threadsafe(ended.set_result, None)

    threading.Thread(target=listen, daemon=True).start()
    await ended
    console.close()


if __name__ == "__main__":
    run_coroutine(main(), sys.argv[1])
