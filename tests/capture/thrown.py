"""Looks at frames at the very moment at which an exception was thrown into them.

A trace function, as of a debugger or a coverage tool, is called then; another thread can get
its turn there at any time. Until 3.12 such a frame has no stack to look at.

Usage: python thrown.py    Prints, by kind of frame, how often it was looked at.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import types

from asyncconsole.capture.chain import walk
from asyncconsole.capture.exits import exits_in_force, names_at
from asyncconsole.capture.shapes import code_of
from asyncconsole.stall.place import suspended


class Steps:
    """Is awaited for ever."""

    def __await__(self):
        while True:
            yield


async def coroutine(lock):
    async with lock:
        try:
            await Steps()
        except ValueError:
            await Steps()


@types.coroutine
def generator(lock):
    with contained():
        try:
            yield from Steps().__await__()
        except ValueError:
            yield from Steps().__await__()


class contained:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


async def async_generator(lock):
    async with lock:
        try:
            await Steps()
        except ValueError:
            await Steps()
        yield


async def started(awaitable):
    await awaitable


def look(owner, top):
    """All that reads what a frame awaits."""
    walk(top)
    walk(owner)
    suspended(owner)
    exits_in_force(owner)
    names_at(owner, 0)


FRAMES = {coroutine: "cr_frame", generator: "gi_frame", async_generator: "ag_frame"}


def throw_into(make):
    """How often a frame was looked at while an exception arrived in it."""
    looked = 0
    source = make(asyncio.Lock())
    top = started(source.__anext__() if make is async_generator else source)
    top.send(None)
    before = walk(top).owners
    code = inspect.unwrap(make).__code__
    (owner,) = (one for one in before if code_of(one).co_code == code.co_code)

    def trace(frame, event, _):
        nonlocal looked
        if event == "exception":
            look(owner, top)
            looked += 1
        return trace

    getattr(owner, FRAMES[make]).f_trace = trace
    sys.settrace(trace)
    try:
        top.throw(ValueError())
    finally:
        sys.settrace(None)
    assert [type(one) for one in walk(top).owners] == [type(one) for one in before]
    top.close()
    return looked


def main():
    print(json.dumps({make.__name__: throw_into(make) for make in FRAMES}))


if __name__ == "__main__":
    main()
