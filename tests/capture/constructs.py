"""Every construct around ``with`` that code is written in, each run step by step.

Run as a program: prints one JSON object, name of the construct to what was seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import json
import sys
import threading
import types

from asyncconsole.capture.exits import async_iterators, exits_in_force
from tests.capture.recorded import House, Inside, drive, pause

CASES = {}
PARTLY = {}
"""Cases where some manager can't be told: what may be missing, and why."""


def case(function):
    """A construct: called with a House, it gives the coroutine to run."""
    CASES[function.__name__.strip("_")] = function
    return function


def partly(why):
    """A construct of which not everything can be read."""

    def mark(function):
        PARTLY[function.__name__] = why
        return case(function)

    return mark


async def nop(*args, **kwargs):
    await pause()
    return args[0] if args else None


async def boom(*args):
    await pause()
    raise ValueError("boom")


class Box:
    """An object with attributes and methods to call with something pending."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def take(self, *args, **kwargs):
        return args

    def __getitem__(self, key):
        return key

    def __setitem__(self, key, value):
        pass


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
async def sync_with(h):
    async with h.m("a"):
        with h.s("s"):
            await pause()
            async with h.m("b"):
                with h.s("t"), h.s("u") as u:
                    await nop(u)
                await pause()
        await pause()


@case
async def builtin_managers(h):
    lock, rlock = threading.Lock(), threading.RLock()
    with lock:
        h.held.append(lock)
        await pause()
        with rlock, open(__file__, encoding="utf-8") as file:
            h.held += [rlock, file]
            await pause()
            h.held[1:] = []
        with memoryview(b"x") as view:
            h.held.append(view)
            await pause()
            h.held.pop()
        h.held.pop()
    await pause()


@case
async def suppress_around(h):
    suppress = contextlib.suppress(ValueError)
    try:
        with suppress:
            h.held.append(suppress)
            async with h.m("a"):
                await pause()
            h.held.remove(suppress)
            raise ValueError
    finally:
        await pause()


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
async def conditional_manager(h):
    for flag in (True, False):
        async with (h.m("a") if flag else h.m("b")):
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
async def library_managers(h):
    inner = h.m("a", [])

    @contextlib.asynccontextmanager
    async def managed(held):
        inner.held = held
        async with inner:
            await pause()
            yield
            await pause()

    held = []
    manager = managed(held)
    h.watch(manager.gen, held)
    async with manager:
        h.held.append(manager)
        await pause()
        stack = contextlib.AsyncExitStack()
        async with stack:
            h.held.append(stack)
            await stack.enter_async_context(h.m("b", []))
            await pause()
            h.held.pop()
        h.held.pop()
    await pause()


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


@partly("a partial or static exit does not say whose it is")
async def other_exits(h):
    class ByPartial:
        async def __aenter__(self):
            return self

        __aexit__ = staticmethod(functools.partial(nop))

    class ByStatic:
        async def __aenter__(self):
            return self

        @staticmethod
        async def __aexit__(*exc):
            await pause()

    class ByClass:
        @classmethod
        async def __aenter__(cls):
            return cls

        @classmethod
        async def __aexit__(cls, *exc):
            await pause()

    class ByCallable:
        class Leave:
            async def __call__(self, *exc):
                await pause()

        __aexit__ = Leave()

        async def __aenter__(self):
            return self

    spare = h.m("spare")
    leave = spare.__aexit__
    async with h.m("a"):
        for kind in (ByPartial, ByStatic, ByClass, ByCallable):
            await pause()
            odd = kind()
            async with odd:
                h.held.append(odd)
                await nop(leave)
                h.held.remove(odd)
                async with h.m("b"):
                    h.held.insert(1, odd)
                    await pause()
                    [leave, await nop()]
                    h.held.remove(odd)
                h.held.append(odd)
                await pause()
                h.held.remove(odd)


@case
async def slots_and_inherited(h):
    class Slotted:
        __slots__ = ("held",)

        def __init__(self, held):
            self.held = held

        async def __aenter__(self):
            self.held.append(self)

        async def __aexit__(self, *exc):
            self.held.remove(self)

    class Child(Slotted):
        __slots__ = ()

    class Aliased:
        def __init__(self, held):
            self.held = held

        async def start(self):
            await pause()
            self.held.append(self)

        async def stop(self, *exc):
            self.held.remove(self)
            await pause()

        __aenter__ = start
        __aexit__ = stop

    async with Slotted(h.held), Child(h.held):
        await pause()
        async with Aliased(h.held):
            await pause()


@case
async def patched_meanwhile(h):
    class Lock:
        async def __aenter__(self):
            h.held.append(self)

        async def __aexit__(self, *exc):
            h.held.remove(self)

    async def __aexit__(self, *exc):
        h.held.remove(self)

    async with Lock():
        await pause()
        Lock.__aexit__ = __aexit__
        await pause()
        async with Lock():
            await pause()


@case
async def instance_attribute(h):
    manager = h.m("a")
    manager.__aexit__ = h.m("spare").__aexit__
    async with manager:
        await pause()


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


def as_tasks(debug):
    """The same under asyncio, where tasks resume the frames; in debug mode too."""
    house = House()

    async def main():
        asyncio.get_running_loop().set_debug(debug)
        lock = asyncio.Lock()
        condition = asyncio.Condition()
        semaphore = asyncio.Semaphore(2)
        other = asyncio.Event()
        reached = asyncio.Event()

        async def holder():
            async with lock, semaphore:
                async with condition:
                    reached.set()
                    await other.wait()

        async def waiter():
            async with lock:
                await pause()

        async def notified():
            async with condition:
                await condition.wait()

        tasks = [asyncio.ensure_future(one()) for one in (holder, waiter)]
        await reached.wait()
        await asyncio.sleep(0)
        coroutines = [task.get_coro() for task in tasks]
        house.frames = [(coroutines[0], [lock, semaphore, condition]), (coroutines[1], [])]
        house.compare("asyncio")
        other.set()
        await tasks[0]
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        task = asyncio.ensure_future(notified())
        await asyncio.sleep(0)
        house.frames = [(task.get_coro(), [condition])]
        house.compare("condition")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    return house


def iterators():
    """What `async_iterators` says of a loop's body, of its head, and outside of it."""
    found = {}

    async def numbers():
        for number in range(2):
            await pause()
            yield number

    async def run(generators):
        await pause()
        async for _ in generators[0]:
            async for _ in generators[1]:
                await pause()
            break
        await pause()
        async with House().m("a", enter=0):
            [x async for x in generators[2]]
            iter(generators)
            await pause()

    generators = [numbers() for _ in range(4)]
    coroutine = run(generators)
    seen = []
    while True:
        try:
            coroutine.send(None)
        except StopIteration:
            break
        got = async_iterators(coroutine)
        seen.append([[a is b for b in generators].index(True) for a in got])
    found["seen"] = seen
    return found


def unreadable():
    """What gives None, without an error."""
    answers = {}

    async def ended():
        pass

    coroutine = ended()
    answers["created"] = exits_in_force(coroutine) == []
    with contextlib.suppress(StopIteration):
        coroutine.send(None)
    answers["finished"] = exits_in_force(coroutine) is None
    for thing in (None, 3, ended, object(), pause, type, asyncio):
        answers[repr(type(thing))] = exits_in_force(thing) is None and async_iterators(thing) == []

    async def itself():
        async with House().m("a", enter=0):
            answers["running"] = exits_in_force(me) is None
            await pause()

    me = itself()
    me.send(None)
    answers["suspended"] = len(exits_in_force(me)) == 1
    with contextlib.suppress(StopIteration):
        while True:
            me.send(None)

    async def created():
        async with House().m("a"):
            pass

    new = created()
    answers["created with"] = exits_in_force(new) == []
    new.close()
    return answers


def references():
    """Reading a frame keeps nothing alive."""

    class Manager:
        async def __aenter__(self):
            return None

        async def __aexit__(self, *exc):
            pass

    async def run():
        async with Manager():
            await pause()

    def objects():
        gc.collect()
        return sum(type(item) is Manager for item in gc.get_objects())

    coroutine = run()
    coroutine.send(None)
    exits = exits_in_force(coroutine)
    assert len(exits) == 1
    del exits
    inside = objects()
    with contextlib.suppress(StopIteration):
        coroutine.send(None)
    return {"inside": inside, "after": objects()}


def main():
    report = {}
    for name, function in CASES.items():
        house = House()
        coroutine = function(house)
        house.watch(coroutine, house.held)
        drive(house, coroutine)
        report[name] = {**house.seen, "false": house.false, "notes": house.notes[:5]}
    for debug in (False, True):
        house = as_tasks(debug)
        report[f"as tasks, debug={debug}"] = {
            **house.seen,
            "false": house.false,
            "notes": house.notes,
        }
    print(
        json.dumps(
            {
                "cases": report,
                "partly": PARTLY,
                "iterators": iterators(),
                "unreadable": unreadable(),
                "references": references(),
            }
        )
    )


if __name__ == "__main__":
    main()
