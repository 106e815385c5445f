"""Kinds of frames and what their owners or others do with them."""

# ruff: noqa: B018, SIM105, TRY301  code as it comes, also as nobody should write it

from __future__ import annotations

import ast
import contextlib
import sys
import types

from tests.capture.construct import boom, case, nop
from tests.capture.recorded import pause


@case
async def closures(h):
    value = 1

    async def inner(held, *args, key=2, **more):
        nonlocal value
        async with h.m("a", held):
            await nop(args, key, more)
            value += 1

            async def innermost(held):
                async with h.m("b", held):
                    await nop(lambda: (value, key, held))

            held = []
            await h.watch(innermost(held), held)

    held = []
    await h.watch(inner(held, 1, 2, key=3, more=4), held)


@case
async def cell_arguments(h):
    async def inner(held, one, two, *three, four, **five):
        def see():
            return one, four, three

        async with h.m("a", held):
            await nop(see(), two, five)
            two = see
            async with h.m("b", held):
                del five
                await pause()

    held = []
    await h.watch(inner(held, 1, 2, 3, four=4, x=5), held)


@case
async def method_frames(h):
    class Account:
        def __init__(self):
            self.lock = h.m("a", [])

        async def run(self, held):
            self.lock.held = held
            async with self.lock:
                await self.inner()

        async def inner(self):
            await pause()

    held = []
    await h.watch(Account().run(held), held)


@case
async def frame_touched(h):
    async def inner(held):
        local = {}
        async with h.m("a", held):
            await nop(local)
            async with h.m("b", held):
                await pause()
                later = 1
                await pause()
            await nop(later)
        await pause()

    for touch in range(3):
        held = []
        coroutine = h.watch(inner(held), held)
        coroutine.cr_frame.f_lineno
        if touch:
            coroutine.cr_frame.f_locals
        if touch == 2:
            coroutine.cr_frame.f_trace = print
        while True:
            try:
                coroutine.send(None)
            except StopIteration:
                break
            h.compare("touched")
            if touch:
                dict(coroutine.cr_frame.f_locals)
            h.compare("touched again")
            await pause()


@case
async def origin_tracked(h):
    async def inner(held):
        async with h.m("a", held):
            await pause()

    before = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(5)
    held = []
    coroutine = inner(held)
    sys.set_coroutine_origin_tracking_depth(before)
    await h.watch(coroutine, held)


@case
async def async_generator(h):
    async def items(held):
        async with h.m("a", held):
            yield 1
            await pause()
            async with h.m("b", held):
                yield await nop(2)
                try:
                    await boom()
                except ValueError:
                    yield None
                yield None
            got = yield 3
            await nop(got)
        yield None
        with h.s("s", held):
            yield

    held = []
    generator = h.watch(items(held), held)
    async for item in generator:
        await nop(item)
        await pause()
    held = []
    generator = h.watch(items(held), held)
    await generator.asend(None)
    await pause()
    await generator.__anext__()
    await pause()
    try:
        await generator.athrow(KeyError())
    except KeyError:
        pass
    await pause()
    held = []
    generator = h.watch(items(held), held)
    await generator.asend(None)
    await generator.aclose()
    await pause()


@case
async def generator_coroutine(h):
    @types.coroutine
    def old(held):
        yield
        with h.s("a", held):
            yield
            got = yield from nop(1)
            with h.s("b", held):
                try:
                    yield got
                    raise KeyError
                except KeyError:
                    yield
                for number in ((yield), 2):
                    yield from [number, None]
        yield

    held = []
    generator = old(held)
    h.watch(generator, held)
    while True:
        try:
            generator.send(None)
        except StopIteration:
            break
        h.compare("generator")
    await pause()


@case
async def plain_generator(h):
    def items(held):
        with h.s("a", held) as a:
            yield a
            for number in range(2):
                with h.s("b", held):
                    yield number
                    yield None
            yield from (x for x in [1, 2])

    held = []
    for item in h.watch(items(held), held):
        h.compare(str(item))
        await pause()


@case
async def awaitable_objects(h):
    class Wait:
        def __await__(self):
            held = []
            generator = h.watch(self.steps(held), held)
            return (yield from generator)

        def steps(self, held):
            with h.s("s", held):
                yield
                yield from pause()

    async with h.m("a"):
        await Wait()
        await asyncio_like()


@types.coroutine
def asyncio_like():
    for number in range(2):
        with contextlib.suppress(ValueError):
            yield
            if number:
                raise ValueError


@case
async def top_level_await(h):
    source = """
async with h.m("a", held) as a:
    await nop(a)
    for number in range(2):
        async with h.m("b", held):
            held.count(await nop(number))
            await nop(number)
"""
    held = []
    code = compile(source, "<console>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for names in ({"h": h, "held": held, "nop": nop}, {"h": h, "held": held, "nop": nop, "x": 1}):
        await h.watch(types.FunctionType(code, names)(), held)
        await h.watch(eval(code, names, {}), held)


def _long(h, blocks):
    """A function so long that jumps and exception table need extended arguments."""
    lines = ["async def long_one(h, held, flag):"]
    for number in range(blocks):
        lines += [
            f"    async with h.m('a{number}', held):",
            f"        value{number} = await nop({number})",
            "        if flag:",
            "            try:",
            *[f"                flag = (flag, {number}, {line})[0]" for line in range(3)],
            "            finally:",
            f"                async with h.m('b{number}', held):",
            "                    await pause()",
            f"        await nop(value{number})",
        ]
    lines += ["    async with h.m('last', held):"]
    lines += [f"        value0 = (value0, {number})" for number in range(400)]
    lines += ["        await pause()", "    await pause()"]
    names = {"nop": nop, "pause": pause}
    exec("\n".join(lines), names)
    return names["long_one"]


@case
async def extended_arguments(h):
    held = []
    await h.watch(_long(h, 60)(h, held, 1), held)
