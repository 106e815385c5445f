"""Coroutines that loop for ever, and some that don't; says which were taken for which.

Run in a child process on every interpreter.
"""

from __future__ import annotations

import asyncio
import json


class Closed:
    is_set = False


async def beats():
    while True:
        await asyncio.sleep(1000)


async def beats_until():
    while not Closed.is_set:
        async with LOCKS[0]:
            await asyncio.sleep(1000)
        Closed.times = 1


async def takes_from_a_queue():
    while True:
        try:
            item = await QUEUE.get()
        except ValueError:
            continue
        finally:
            Closed.times = 2
        for _ in range(3):
            await asyncio.sleep(item)


async def is_sent(numbers):
    async for number in numbers:
        await asyncio.sleep(number)


async def works_through_a_list_for_ever():
    while True:
        for number in (1000, 1000):
            await asyncio.sleep(number)


async def calls_one_that_beats():
    await beats()


async def ends():
    await asyncio.sleep(1000)
    async with LOCKS[1], LOCKS[2]:
        try:
            await asyncio.sleep(1)
        except ValueError:
            await asyncio.sleep(2)
        finally:
            await asyncio.sleep(3)


async def ends_with_locks():
    async with LOCKS[1], LOCKS[2]:
        await asyncio.sleep(1000)


async def counts_to_three():
    for _ in range(3):
        await asyncio.sleep(1000)


async def may_fail():
    while True:
        await asyncio.sleep(1000)
        if Closed.is_set:
            raise ValueError


async def waits_before_its_loop():
    await asyncio.sleep(1000)
    while True:
        await asyncio.sleep(1)


async def waits_after_its_loop():
    while not Closed.times:
        await asyncio.sleep(0)
    await asyncio.sleep(1000)


async def asserts():
    while True:
        await asyncio.sleep(1000)
        assert not Closed.is_set


async def numbers():
    for number in (1000, 1000):
        yield number


async def main():
    from asyncconsole.capture.chain import walk
    from asyncconsole.capture.loop_code import endless

    Closed.times = 3
    makers = [
        beats,
        beats_until,
        takes_from_a_queue,
        lambda: is_sent(numbers()),
        works_through_a_list_for_ever,
        calls_one_that_beats,
        ends,
        ends_with_locks,
        counts_to_three,
        may_fail,
        waits_before_its_loop,
        waits_after_its_loop,
        asserts,
    ]
    tasks = [asyncio.ensure_future(make()) for make in makers]
    for _ in range(3):
        await asyncio.sleep(0)
    found = {task.get_coro().__name__: endless(walk(task.get_coro())) for task in tasks}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return found


LOCKS = [asyncio.Lock() for _ in range(3)]
QUEUE = asyncio.Queue()

if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
