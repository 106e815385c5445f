"""Kinds of context managers and of exits."""

from __future__ import annotations

import contextlib
import functools
import threading
from pathlib import Path

from tests.capture.construct import case, nop, partly
from tests.capture.recorded import pause


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
        with rlock, Path(__file__).open(encoding="utf-8") as file:
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
