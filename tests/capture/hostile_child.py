"""A program whose classes watch every one of their hooks, looked at with every read command.

Usage: python hostile_child.py; prints the calls that a look made, as JSON (none, hopefully).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.capture.looking import Watch

CALLS = []
WATCHING = threading.Event()


def called(what):
    """Record a call, and fail the way hostile code does, while a look goes on."""
    if WATCHING.is_set() and threading.current_thread().name == "asyncconsole-look":
        frames = traceback.extract_stack(limit=6)[:-2]
        CALLS.append([what, *(f"{Path(one.filename).name}:{one.lineno}" for one in frames)])
        raise RuntimeError(what)


def hook(name, result):
    def method(self, *arguments, **options):
        called(name)
        return result(self, *arguments, **options)

    method.__name__ = name
    return method


class Metaclass(type):
    __instancecheck__ = hook("instancecheck", lambda cls, thing: type(thing) is cls)
    __subclasscheck__ = hook("subclasscheck", lambda cls, other: False)
    __call__ = hook("type call", type.__call__)
    __repr__ = hook("type repr", lambda cls: "hostile")
    __getattribute__ = hook("type getattribute", type.__getattribute__)
    __hash__ = hook("type hash", type.__hash__)
    __eq__ = hook("type eq", lambda cls, other: cls is other)
    __dir__ = hook("type dir", lambda cls: [])


class Descriptor:
    def __get__(self, thing, owner):
        called("descriptor get")
        return self

    def __set__(self, thing, value):
        called("descriptor set")


def _class(self):
    called("__class__")
    return int


HOOKS = {
    "__repr__": lambda self: "hostile",
    "__str__": lambda self: "hostile",
    "__getattr__": lambda self, name: (_ for _ in ()).throw(AttributeError(name)),
    "__getattribute__": object.__getattribute__,
    "__eq__": lambda self, other: self is other,
    "__bool__": lambda self: True,
    "__len__": lambda self: 1,
    "__iter__": lambda self: iter(()),
    "__contains__": lambda self, item: False,
    "__getitem__": lambda self, key: None,
    "__dir__": lambda self: [],
    "__format__": lambda self, spec: "hostile",
    "__sizeof__": lambda self: 1,
    "__reduce_ex__": lambda self, protocol: (int, ()),
    "__instancecheck__": lambda self, thing: False,
}


def methods(*without, hashed=True):
    """Hooks for a class body."""
    found = {name: hook(name, result) for name, result in HOOKS.items() if name not in without}
    if hashed:
        found["__hash__"] = hook("__hash__", lambda self: id(self) >> 4)
    found["__class__"] = property(_class)
    found["described"] = Descriptor()
    for name in (
        "acquire",
        "release",
        "locked",
        "name",
        "state",
        "cancel_me",
        "_waiters",
        "_value",
    ):
        found[name] = property(lambda self, name=name: called(f"property {name}"))
    return found


Hostile = Metaclass("Hostile", (), methods())
HostileDict = type("HostileDict", (dict,), methods("__getattribute__", "__getattr__"))
HostileList = type("HostileList", (list,), methods("__getattribute__", "__getattr__"))
HostileText = type("HostileText", (str,), {"__str__": hook("text str", str.__str__), "__repr__": hook("text repr", str.__repr__), "__eq__": hook("text eq", str.__eq__), "__hash__": str.__hash__, "__format__": hook("text format", str.__format__)})  # fmt: skip


class HostileTask(asyncio.Task):
    """Overrides all that asyncio itself doesn't need to be left alone."""

    get_coro = hook("get_coro", asyncio.Task.get_coro)
    get_name = hook("get_name", asyncio.Task.get_name)
    get_stack = hook("get_stack", asyncio.Task.get_stack)
    cancelled = hook("cancelled", asyncio.Task.cancelled)
    cancel = hook("cancel", asyncio.Task.cancel)
    __repr__ = hook("task repr", lambda self: "hostile")
    __eq__ = hook("task eq", lambda self, other: self is other)
    if sys.version_info < (3, 14):  # whose all_tasks() itself asks for these: no way around
        done = hook("done", asyncio.Task.done)
        get_loop = hook("get_loop", asyncio.Task.get_loop)
        __getattribute__ = hook("task getattribute", asyncio.Task.__getattribute__)
        __hash__ = hook("task hash", lambda self: 7)
    else:
        __hash__ = asyncio.Task.__hash__


class HostileLock(asyncio.Lock):
    __repr__ = hook("lock repr", lambda self: "hostile")
    __getattribute__ = hook("lock getattribute", asyncio.Lock.__getattribute__)
    __eq__ = hook("lock eq", lambda self, other: self is other)
    __hash__ = hook("lock hash", lambda self: 7)
    locked = hook("locked", asyncio.Lock.locked)


class HostileFuture(asyncio.Future):
    __repr__ = hook("future repr", lambda self: "hostile")
    __getattribute__ = hook("future getattribute", asyncio.Future.__getattribute__)
    __hash__ = hook("future hash", lambda self: 7)
    __eq__ = hook("future eq", lambda self, other: self is other)


class HostileThread(threading.Thread):
    name = property(lambda self: called("thread name") or self._name)
    ident = property(lambda self: called("thread ident") or self._ident)
    daemon = property(lambda self: called("thread daemon") or self._daemonic)
    native_id = property(lambda self: called("thread native_id") or self._native_id)
    __repr__ = hook("thread repr", lambda self: "hostile")
    __hash__ = hook("thread hash", lambda self: id(self) >> 4)


class HostileAwaitable:
    """Its ``__await__`` hands out itself, an iterator of its own."""

    def __init__(self, future):
        self.future = future

    __await__ = hook("__await__", lambda self: self)
    __iter__ = hook("await iter", lambda self: self)
    __getattr__ = hook("await getattr", HOOKS["__getattr__"])
    __repr__ = hook("await repr", lambda self: "hostile")
    gi_yieldfrom = property(lambda self: called("gi_yieldfrom"))
    cr_await = property(lambda self: called("cr_await"))
    cr_frame = property(lambda self: called("cr_frame"))

    def __next__(self):
        called("await next")
        self.future._asyncio_future_blocking = True
        return self.future

    def send(self, value):
        return self.__next__()


class HostileManager:
    """A hand-written manager around a lock."""

    def __init__(self, lock):
        self.lock = lock

    async def __aenter__(self):
        await self.lock.acquire()

    async def __aexit__(self, *error):
        self.lock.release()

    __getattribute__ = hook("manager getattribute", object.__getattribute__)
    __repr__ = hook("manager repr", lambda self: "hostile")


GLOBAL = Hostile()
A, B = HostileLock(), HostileLock()
LOCKS = HostileDict(a=A)
ITEMS = HostileList([B, GLOBAL])
KEYS = {GLOBAL: HostileLock()}
KEPT = []


async def main():
    loop = asyncio.get_running_loop()
    future, odd = asyncio.Future(), HostileFuture()
    KEPT.extend([future, odd])
    lock = KEYS[GLOBAL]

    async def holder(local=GLOBAL):
        things = [GLOBAL, local, LOCKS, ITEMS, HostileText("x")]
        async with A, HostileManager(B), lock:
            await future
        return things

    async def waiter(which):
        async with which:
            pass

    async def explicit():
        await A.acquire()
        try:
            await future
        finally:
            A.release()

    async def on_future():
        await odd

    async def awaits():
        await HostileAwaitable(future)

    async def sleeper(tasks):
        await asyncio.sleep(1000)
        for task in tasks:
            task.cancel()

    async def gathers(tasks):
        await asyncio.gather(*tasks)

    async def job():
        await asyncio.to_thread(threading.Event().wait, 60)

    def make(coro, name):
        task = HostileTask(coro, loop=loop)
        task.set_name(HostileText(name))
        KEPT.append(task)
        return task

    first = make(holder(), "holder")
    await asyncio.sleep(0)
    waiting = [make(waiter(A), "waiter"), make(waiter(lock), "waiter-2")]
    make(explicit(), "explicit")
    make(on_future(), "on_future")
    make(awaits(), "awaits")
    make(sleeper([*waiting, GLOBAL]), "sleeper")
    make(gathers([first, *waiting]), "gathers")
    make(job(), "job")
    loop.call_later(1000, Hostile)
    HostileThread(target=threading.Event().wait, args=(60,), daemon=True).start()
    for _ in range(20):
        await asyncio.sleep(0)
    watch = Watch(loop)

    def end():
        names = [task["name"] for task in watch.result.get("snapshot", {}).get("tasks", ())]
        gaps = watch.result.get("snapshot", {}).get("gaps")
        print(json.dumps({"calls": CALLS, "tasks": sorted(names), "gaps": gaps}), flush=True)
        os._exit(0)

    WATCHING.set()
    commands = (
        "ps", "ps --group", "ps --sort since", "tree", "locks", "locks --all", "loops",
        "deadlocks", "stacktrace", "stalls", "version", "probe", "track", "ps-terminated", "where",
    )  # fmt: skip
    loop.call_soon(watch.start, commands, end)
    await future


asyncio.run(main())
