"""Programs that hold locks without an ``async with`` on the lock itself.

Runs in a child process like ``programs.py``, whose driver it uses.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import ClassVar

import programs
from programs import for_ever, scenario, spawn

programs.SCENARIOS.clear()

GLOBAL = asyncio.Lock()
TABLE = {"a": asyncio.Lock(), 7: asyncio.Lock()}
PERMITS = asyncio.BoundedSemaphore(1)
THREAD = threading.Lock()
RTHREAD = threading.RLock()


class Store:
    def __init__(self):
        self.lock = asyncio.Lock()

    async def use(self):
        await self.lock.acquire()
        try:
            await for_ever()
        finally:
            self.lock.release()

    @contextlib.asynccontextmanager
    async def locked(self):
        await self.lock.acquire()
        try:
            yield
        finally:
            self.lock.release()


class Watched:
    """Any code of ours that runs while it is looked at is a bug."""

    touched: ClassVar = []

    def __init__(self, lock):
        self.__dict__["lock"] = lock

    @property
    def clever(self):
        self.touched.append("property")
        return self.__dict__["lock"]

    def __getattr__(self, name):
        self.touched.append(name)
        raise AttributeError(name)


@scenario
async def taken_by_acquire():
    local, closed, bound = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
    store, other, watched = Store(), Store(), Watched(asyncio.Lock())

    async def by_global():
        await GLOBAL.acquire()
        await for_ever()
        GLOBAL.release()

    async def by_local(lock):
        await lock.acquire()
        try:
            await for_ever()
        finally:
            lock.release()

    async def by_closure():
        await closed.acquire()
        try:
            await for_ever()
        finally:
            closed.release()

    async def by_wait_for():
        await asyncio.wait_for(bound.acquire(), timeout=1000)
        await for_ever()
        bound.release()

    async def by_key(key):
        await TABLE[key].acquire()
        await for_ever()
        TABLE[key].release()

    async def by_number():
        await TABLE[7].acquire()
        await for_ever()

    async def by_permit():
        await PERMITS.acquire()
        try:
            await for_ever()
        finally:
            PERMITS.release()

    async def by_manager():
        async with other.locked():
            await for_ever()

    async def by_property():
        await watched.clever.acquire()
        Watched.touched.clear()
        await for_ever()
        watched.clever.release()

    async def released():
        lock = asyncio.Lock()
        await lock.acquire()
        lock.release()
        await for_ever()

    async def released_by_another_name():
        lock = alias = asyncio.Lock()
        await lock.acquire()
        alias.release()
        await alias.acquire()
        lock.release()
        await for_ever()

    async def only_maybe(flag):
        lock = MAYBE
        if flag:
            await lock.acquire()
        await for_ever()

    makers = {
        "by_global": by_global(),
        "by_local": by_local(local),
        "by_closure": by_closure(),
        "by_wait_for": by_wait_for(),
        "by_key": by_key("a"),
        "by_number": by_number(),
        "by_attribute": store.use(),
        "by_permit": by_permit(),
        "by_manager": by_manager(),
        "by_property": by_property(),
        "released": released(),
        "released_by_another_name": released_by_another_name(),
        "only_maybe": only_maybe(1),
    }
    return [spawn(make, name) for name, make in makers.items()]


MAYBE = asyncio.Lock()


@scenario
async def certain_beats_likely():
    """One task's code says it holds the lock; another's ``async with`` is in force."""
    lock = asyncio.Lock()

    def give():
        lock.release()

    async def likely():
        await lock.acquire()
        globals()["give"]()
        await for_ever()

    async def certain():
        async with lock:
            await for_ever()

    globals()["give"] = give
    return [spawn(likely(), "likely"), spawn(certain(), "certain")]


@scenario
async def a_likely_cycle():
    first, second = asyncio.Lock(), asyncio.Lock()

    async def step(one, other):
        await one.acquire()
        try:
            await asyncio.sleep(0)
            await other.acquire()
            other.release()
        finally:
            one.release()

    return [spawn(step(first, second), "x"), spawn(step(second, first), "y")]


@scenario
async def a_lock_that_it_probably_took_itself():
    lock = asyncio.Lock()

    async def twice():
        await lock.acquire()
        await lock.acquire()

    return [spawn(twice(), "twice")]


class Wrapper:
    def __init__(self):
        self._lock = asyncio.Lock()
        self._counts = asyncio.Lock()

    async def __aenter__(self):
        await self._lock.acquire()
        async with self._counts:
            pass

    async def __aexit__(self, *_):
        async with self._counts:
            pass
        self._lock.release()


@scenario
async def a_manager_that_wraps_a_lock():
    wrapper = Wrapper()

    async def inside():
        async with wrapper:
            await for_ever()

    async def counting():
        async with wrapper._counts:
            await for_ever()

    inner = spawn(inside(), "inside")
    await asyncio.sleep(0)
    return [inner, spawn(counting(), "counting")]


@scenario
async def locks_of_threads():
    async def plain():
        with THREAD:
            await for_ever()

    async def again():
        with RTHREAD, RTHREAD:
            await for_ever()

    return [spawn(plain(), "plain"), spawn(again(), "again")]


@scenario
async def code_of_the_program_that_ran():
    return [spawn(asyncio.sleep(1000), ",".join(Watched.touched) or "none")]


if __name__ == "__main__":
    programs.main()
