"""What timing every callback costs: the same work with and without it, side by side in one process.

``python benchmarks/polls.py [--quick]``

Each round runs every piece of work without it, once more without it (what that differs by is
noise), and with it; the table has the medians of the rounds' ratios, by CPU time of the thread.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

from measure import TIMES, table

from asyncconsole.capture.loops import LoopBook
from asyncconsole.stall.polls import PollHook

ROUNDS = 15
CALLBACKS = 20_000
YIELDS = 20_000
TASKS = 5_000
MESSAGES = 2_000
REQUESTS = 400
WORK = 2_000
"""Turns of a loop in a request that does some work: 0.1 to 0.2 ms."""


async def callbacks() -> None:
    """``call_soon`` of a function that does nothing."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = CALLBACKS

    def again() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(again)
        else:
            done.set_result(None)

    loop.call_soon(again)
    await done


async def yields() -> None:
    """Steps of a task that do nothing."""
    for _ in range(YIELDS):
        await asyncio.sleep(0)


async def noop() -> None:
    """The task whose life is timed."""


async def tasks() -> None:
    for _ in range(TASKS):
        await asyncio.create_task(noop())


async def ping() -> None:
    await echo(MESSAGES, 0)


async def requests() -> None:
    await echo(REQUESTS, WORK)


async def echo(messages: int, work: int) -> None:
    """Ping-pong over TCP within one loop; the server works a little for each message."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            sum(number for number in range(work))
            writer.write(line)
        writer.close()
        gone.set()

    gone = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(messages):
        writer.write(b"ping\n")
        await reader.readline()
    writer.close()
    await gone.wait()
    server.close()


def timed(work: Callable[[], Awaitable[None]]) -> float:
    """Seconds of CPU that it takes in a loop of its own."""

    async def run() -> float:
        began = time.thread_time()
        await work()
        return time.thread_time() - began

    return asyncio.run(run())


def compare(
    hook: PollHook, name: str, work: Callable[[], Awaitable[None]], count: int, rounds: int
) -> tuple[str, ...]:
    """One row."""
    base, noise, ratios = [], [], []
    for _ in range(rounds):
        plain = timed(work)
        noise.append(timed(work) / plain)
        hook.switch_on()
        ratios.append(timed(work) / plain)
        hook.switch_off()
        base.append(plain)
    each, ratio = statistics.median(base) / count * 1e6, statistics.median(ratios)
    return (
        name,
        f"{each:.1f} us",
        f"{TIMES}{statistics.median(noise):.2f}",
        f"{TIMES}{ratio:.2f}",
        f"{each * (ratio - 1):+.1f} us",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a look, no result")
    rounds = 3 if parser.parse_args().quick else ROUNDS
    print(f"CPython {platform.python_version()}, {platform.machine()}, {sys.platform}")
    hook = PollHook(LoopBook())
    rows = [
        compare(hook, *what, rounds)
        for what in (
            ("a callback that does nothing", callbacks, CALLBACKS),
            ("a step that does nothing: sleep(0)", yields, YIELDS),
            ("a task that does nothing: create + await", tasks, TASKS),
            ("ping-pong over TCP, both ends in the loop", ping, MESSAGES),
            (f"the same with work: sum(range({WORK:,}))", requests, REQUESTS),
        )
    ]
    print(table(["work", "without", "control", "timed", "each"], rows))


if __name__ == "__main__":
    main()
