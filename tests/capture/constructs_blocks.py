"""Blocks in blocks, and every way to enter and to leave them."""

# ruff: noqa: SIM117, PLW0120, TRY301, RET503  code as it comes, also as nobody should write it

from __future__ import annotations

import contextlib
import sys

from tests.capture.construct import Box, boom, case, nop
from tests.capture.recorded import Inside, pause


@case
async def single(h):
    await pause()
    async with h.m("a"):
        await pause()
        await nop()
    await pause()


@case
async def nested(h):
    async with h.m("a"):
        await pause()
        async with h.m("b") as b:
            async with h.m("c"):
                await nop(b)
            await pause()
        await pause()


@case
async def several_items(h):
    async with h.m("a") as a, h.m("b"), h.m("c") as c:
        await nop(a, c)


@case
async def parenthesised(h):
    async with (
        h.m("a") as a,
        h.m("b"),
        h.m(
            "c",
        ) as c,
    ):
        await nop(a, c)


@case
async def targets(h):
    box = Box()
    things = {}
    async with h.m("a") as box.attribute, h.m("b") as things["key"]:
        await pause()
        async with contextlib.AsyncExitStack() as stack:
            h.held.append(stack)
            await pause()
            h.held.pop()
    async with Pair(h, "c", None, 1, 1, None) as (one, *rest):
        await nop(one, rest)


class Pair(Inside):
    async def __aenter__(self):
        await super().__aenter__()
        return 1, 2, 3


@case
async def loops(h):
    for number in range(2):
        async with h.m(f"a{number}"):
            for other in (number, 1):
                await pause()
                if other:
                    continue
                async with h.m("b"):
                    await pause()
                    if number:
                        break
            else:
                await pause()
    count = 0
    while count < 2:
        count += 1
        async with h.m("w"):
            await pause()
            if count == 2:
                break
            async with h.m("v"):
                await pause()
                continue
    else:
        await pause()


@case
async def in_dict_loops(h):
    for key, value in {1: 2, 3: 4}.items():
        async with h.m("a"):
            for letter in "xy":
                async with h.m("b"):
                    await nop(key, value, letter)


@case
async def async_for(h):
    async def numbers():
        for number in range(2):
            await pause()
            yield number

    async with h.m("a"):
        async for number in numbers():
            await pause()
            async with h.m("b"):
                await nop(number)
        else:
            await pause()
        async for number in numbers():
            async with h.m("c"):
                if number:
                    break
                await pause()


@case
async def try_inside(h):
    async with h.m("a"):
        try:
            await pause()
            async with h.m("b"):
                await boom()
        except ValueError as error:
            await nop(error)
            async with h.m("c"):
                await pause()
        else:
            await pause()
        finally:
            await pause()
            async with h.m("d"):
                await pause()
        await pause()


@case
async def try_else(h):
    try:
        async with h.m("a"):
            await pause()
    except ValueError:
        pass
    else:
        async with h.m("b"):
            await pause()
    finally:
        async with h.m("c"):
            await pause()


@case
async def with_in_except(h):
    try:
        await boom()
    except ValueError:
        async with h.m("a"):
            await pause()
            try:
                await boom()
            except ValueError as error:
                await pause()
                async with h.m("b"):
                    await nop(error)
                await pause()
            await pause()
        await pause()
    async with h.m("c"):
        await pause()


@case
async def with_in_finally(h):
    async def inner(held):
        try:
            async with h.m("a", held):
                await boom()
        finally:
            async with h.m("b", held):
                await pause()
            await pause()

    held = []
    try:
        await h.watch(inner(held), held)
    except ValueError:
        await pause()


@case
async def exception_leaves(h):
    try:
        async with h.m("a"):
            async with h.m("b"):
                async with h.m("c", error="swallow"):
                    await boom()
                await pause()
                raise KeyError
    except KeyError:
        await pause()
    try:
        async with h.m("d", error="leave"):
            await pause()
    except KeyError:
        await pause()


@case
async def entering_fails(h):
    async with h.m("a"):
        try:
            async with h.m("b"), h.m("c", error="enter"), h.m("d"):
                await pause()
        except KeyError:
            await pause()
        await pause()


@case
async def never_entered(h):
    try:
        async with h.m("a", enter=3, error="enter"):
            await pause()
    except KeyError:
        await pause()


@case
async def return_await(h):
    async def inner(held):
        async with h.m("a", held):
            async with h.m("b", held) as b:
                try:
                    return await nop(b)
                finally:
                    await pause()

    held = []
    await h.watch(inner(held), held)


@case
async def return_from_loop(h):
    async def inner(held):
        for number in range(3):
            async with h.m("a", held):
                while True:
                    async with h.m("b", held):
                        await pause()
                        if number == 1:
                            return await nop(number)
                        break

    held = []
    await h.watch(inner(held), held)


@case
async def match_statement(h):
    for subject in ([1, 2], {"k": 3}, Box(x=1), 7):
        match subject:
            case [one, *rest]:
                async with h.m("a"):
                    await nop(one, rest)
            case {"k": value, **others}:
                async with h.m("b"):
                    await nop(value, others)
            case Box(x=x) if await nop(x):
                async with h.m("c"):
                    await pause()
            case _:
                async with h.m("d"):
                    match await nop(subject):
                        case 7 | 8:
                            await pause()


@case
async def thrown_into(h):
    async def inner(held):
        async with h.m("a", held):
            for _ in range(3):
                try:
                    async with h.m("b", held):
                        await pause()
                except KeyError:
                    await pause()

    held = []
    coroutine = h.watch(inner(held), held)
    for step in range(60):
        try:
            coroutine.throw(KeyError()) if step % 7 == 3 else coroutine.send(None)
        except (StopIteration, KeyError):
            held.clear()
            break
        h.compare(step)
        await pause()


@case
async def overwritten(h):
    lock = h.m("a")
    async with lock as alias:
        del alias
        lock = None
        await pause()
        lock = h.m("b")
        async with lock as lock:
            del lock
            await nop()
    await pause()


@case
async def conditional_manager(h):
    for flag in (True, False):
        async with h.m("a") if flag else h.m("b"):
            await pause()
        async with (flag and h.m("c")) or h.m("d"):
            await pause()
        async with h.m("e") as e, e.house.m("f") if await nop(flag) else h.m("g"):
            await nop(1 if await nop(flag) else await nop(2))


@case
async def await_in_item(h):
    async with h.m("a"), await nop(h.m("b")), (await nop([h.m("c")]))[await nop(None) or 0]:
        await pause()
    async with (later := h.m("d")), nop_manager(h, await nop("e")):
        await nop(later)


def nop_manager(h, name):
    return h.m(name)


@case
async def exception_groups(h):
    if sys.version_info < (3, 11):
        await pause()
        return
    names = {"nop": nop, "pause": pause, "boom": boom}
    exec(
        """
async def run(h, held):
    async with h.m("a", held):
        try:
            async with h.m("b", held):
                await boom()
        except* ValueError as group:
            await nop(group)
            async with h.m("c", held):
                await pause()
        except* KeyError:
            await pause()
        else:
            await pause()
        finally:
            await pause()
        await pause()
""",
        names,
    )
    held = []
    await h.watch(names["run"](h, held), held)
