"""Looking at a loop or a lock does not change how Python keeps its attributes.

Until 3.12 an object whose ``__dict__`` was asked for once is slower from then on; the
garbage collector shows that: it then refers to the dictionary and not to the values.
"""

from __future__ import annotations

import pytest

from asyncconsole.capture.objects import attribute
from tests.children import run
from tests.interpreters import INTERPRETERS

PROGRAM = """
import asyncio, gc, time
import asyncconsole

def has_dictionary(thing, key):
    return any(type(one) is dict and key in one for one in gc.get_referents(thing))

async def wait(lock):
    async with lock:
        pass

async def main():
    loop, lock = asyncio.get_running_loop(), asyncio.Lock()
    before = has_dictionary(loop, "_ready"), has_dictionary(lock, "_locked")
    with asyncconsole.start(port=0, unix_socket=False, stall_threshold=0.2) as console:
        end = time.monotonic() + 1
        while time.monotonic() < end:  # busy: the probe looks and asks
            await asyncio.sleep(0)
        async with lock:
            task = asyncio.create_task(wait(lock))
            await asyncio.sleep(0)
            snapshot = await asyncio.to_thread(asyncconsole.snapshot)
            assert [item.type for item in snapshot.resources] == ["Lock"], snapshot.resources
        await task
    assert (has_dictionary(loop, "_ready"), has_dictionary(lock, "_locked")) == before

asyncio.run(main())
"""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_loops_and_locks_stay_as_fast_as_they_were(python) -> None:
    run(python, "-c", PROGRAM, quiet=False)  # it may be told of stalls


class Base:
    plain = 1
    hidden = 2

    @property
    def clever(self) -> int:
        raise AssertionError

    @staticmethod
    def static() -> None:
        raise AssertionError

    def __getattr__(self, name: str) -> int:
        raise AssertionError

    def __init__(self) -> None:
        self.own = 3
        self.hidden = 4
        self.__dict__["clever"] = 5
        self.__dict__["static"] = 6


class Slots:
    __slots__ = ("empty", "full")

    def __init__(self) -> None:
        self.full = 7


def test_attributes_are_read_without_running_code() -> None:
    thing = Base()
    assert attribute(thing, "own") == 3
    assert attribute(thing, "plain") == 1
    assert attribute(thing, "hidden") == 4
    assert attribute(thing, "clever") == 5
    assert attribute(thing, "static") == 6
    assert attribute(thing, "absent", 8) == 8
    assert attribute(Slots(), "full") == 7
    assert attribute(Slots(), "empty", 8) == 8
