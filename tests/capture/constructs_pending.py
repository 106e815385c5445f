"""Things that lie on the stack next to the exits: arguments, methods, saved variables."""

# ruff: noqa: B015, PIE804, PLC3002, PLW2901, F841, RUF021, UP008  code as it comes, also as nobody should write it

from __future__ import annotations

import contextlib

from tests.capture.construct import Box, case, nop, partly
from tests.capture.recorded import pause


@case
async def bound_exit_in_local(h):
    spare = h.m("spare")
    leave = spare.__aexit__
    await pause()
    async with h.m("a"):
        await nop(leave)
    async with h.m("b"):
        later = spare.__aexit__
        await pause()
    await nop(later)


@case
async def bound_exit_in_cell(h):
    spare = h.m("spare")
    leave = spare.__aexit__

    async def inner(held):
        nonlocal leave
        await pause()
        async with h.m("a", held):
            leave = spare.__aexit__
            await pause()
        return leave

    held = []
    await h.watch(inner(held), held)
    await pause()


@case
async def bound_exit_pending(h):
    spare, box = h.m("spare"), Box()
    nop_ = box.take
    nop_(spare.__aexit__, await nop())
    async with h.m("a"):
        nop_(spare.__aexit__, await nop())
        nop_(spare.__aexit__, spare, await nop(), key=await nop())
        box.take(spare.__aexit__, await nop())
        box.take(type(spare).__aexit__, spare, await nop())
        [spare.__aexit__, await nop()]
        {spare.__aexit__: await nop()}
        (type(spare).__aexit__, spare, await nop())
        box[spare.__aexit__, await nop()] = spare.__aexit__, await nop()
        async with h.m("b"):
            box.take(spare.__aexit__, *[await nop()], **{"x": await nop()})
        nop_(*[spare.__aexit__], await nop(), spare.__aexit__, await nop())


@case
async def exit_called_by_hand(h):
    spare = h.m("spare", [])
    spare._inside()
    async with h.m("a"):
        await spare.__aexit__(None, None, await nop())
    spare._inside()
    await spare.__aexit__(await nop(), None, None)


@case
async def methods_pending(h):
    box, found = Box(stored=nop, inner=Box()), []
    box.lambda_ = lambda *args: args
    async with h.m("a"):
        found.append(await nop())
        box.take(await nop())
        box.inner.take(1, await nop(), 2)
        box.lambda_(await nop())
        await box.stored(await nop())
        found.append(box.take(box.lambda_(await nop()), await nop()))
        str.upper(await nop("x"))
        print(*[await nop("")], end="")
        async with h.m("b"):
            found.append([box.take(await nop()), {await nop(): await nop()}])
            if len(found) > 1:
                extra = await nop()
                found.append(await nop(extra))
            found.append(await nop())
        box.lambda_(await nop())


@case
async def unknown_locals(h):
    box = Box(stored=nop)
    box.lambda_ = lambda *args: args
    for number in range(3):
        if number == 1:
            late = number
        async with h.m("a"):
            box.take(await nop())
            if number == 2:
                later = late
                del late
            async with h.m("b"):
                box.take(await nop())
                await pause()
    await nop(later)


@partly("a class changed while its method was about to be called, and locals that may be unset")
async def ambiguous(h):
    class Changing:
        def take(self, *args):
            return args

        async def change(self):
            Changing.take = lambda self, *args: args
            await pause()

    changing, spare = Changing(), h.m("spare")
    for number in range(3):
        if number:
            first = spare.__aexit__
        async with h.m("a"):
            changing.take(await changing.change())
            if number > 1:
                del first
            changing.take(spare.__aexit__, await changing.change())
    await nop(first if number < 2 else None)


@case
async def star_arguments(h):
    async with h.m("a"):
        await nop(*[await nop()], *(await nop(), 2), **{"a": await nop()}, b=await nop())
        await nop(1, *[await nop()])
        await nop(**{"a": 1}, **{"b": await nop()})


@case
async def strings(h):
    async with h.m("a"):
        text = f"{await nop(1)} and {await nop(2)!r:>{await nop(10)}} {h.held[0]}"
        text += f"{await nop(text)}"


@case
async def operators(h):
    data = {1: 2}
    async with h.m("a"):
        1 < await nop(2) < await nop(3)
        await nop(1) + await nop(2) * (await nop(3) - 1)
        data[await nop(1)] += await nop(2)
        data[await nop("s")] = [1, 2, 3][await nop(0) : await nop(2)]
        await nop(0) or await nop(1) and await nop(2)
        one, (two, *three) = await nop((1, (2, 3)))
        del data[await nop(1)]
        assert await nop(one + two), await nop(three)
        with contextlib.suppress(ZeroDivisionError) as nothing:
            nothing = 1


@case
async def super_calls(h):
    class Base:
        def take(self, *args):
            return args

    class Derived(Base):
        async def run(self, held):
            async with h.m("a", held):
                super().take(await nop())
                super().take(h.made["a"].__aexit__, await nop())
                async with h.m("b", held):
                    super(Derived, self).take(await nop(), await nop())

    held = []
    await h.watch(Derived().run(held), held)


@case
async def comprehensions(h):
    async def numbers():
        for number in range(2):
            await pause()
            yield number

    async with h.m("a"):
        [await nop(x) for x in range(2)]
        [x async for x in numbers()]
        {x: await nop(y) async for x in numbers() for y in (1,)}
        {await nop(x) for x in [1, 2] if await nop(x)}
        x = 5
        [await nop(x, y) for x in range(2) for y in range(2)]
        [(lambda: x)() for x in [1] if await nop(x)]
        async with h.m("b"):
            total = [x + y async for y in numbers()]
            found = []
            found.append([await nop(z) for z in (1, 2) if z])
            found.append(await nop({z: z for z in (await nop(3), 4)}))
        generator = (await nop(y) for y in range(2))
        async for y in generator:
            async with h.m("c"):
                await nop(y, total, x)


@case
async def comprehension_unset(h):
    if not h.held:
        async with h.m("a"):
            [await nop(late) for late in (1, 2)]
            [await nop(late) for late in (1, 2) for other in (late, await nop(3))]
            if h.frames is None:
                late = 1
                print(late)


@case
async def many_locals(h):
    a = b = c = d = e = f = g = i = j = k = l = m = n = o = p = q = r = s = 1  # noqa: E741
    async with h.m("a"):
        t = a, b, c, d, e, f, g, i, j, k, l, m, n, o, p, q, r, s
        await nop(t, *t, a=t)
        del a, b
        await pause()
        for a, b in ((1, 2), (await nop(3), 4)):
            async with h.m("b"):
                await nop(a, b)
                del a
        async with h.m("c"):
            await pause()
