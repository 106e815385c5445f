"""What frozen copies tell is the same from one to the next."""

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

PROGRAM = """
import asyncio, json, time
import asyncconsole
from asyncconsole.capture.program import shared
from asyncconsole.serve import autopsy

async def fails():
    raise KeyError("lost")

def look():
    end = time.monotonic() + 60
    while True:
        found = autopsy.take_here(shared())
        if not found.gaps:
            return found
        assert time.monotonic() < end, found.gaps  # one copy at a time
        time.sleep(0.05)

async def main():
    ended = [asyncio.create_task(fails(), name="one"), asyncio.create_task(fails(), name="one")]
    await asyncio.wait(ended)
    looks = [look() for _ in range(2)]
    print(json.dumps([[[item.id, item.name] for item in look.ended] for look in looks]))
    for task in ended:
        task.exception()

asyncio.run(main())
"""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_an_ended_task_keeps_its_number(python):
    first, second = tell(python, "-W", "ignore::DeprecationWarning", "-c", PROGRAM)
    assert sorted(first) == sorted(second)
    assert len({number for number, _ in first}) == len(first) == 2
    assert all(number > 0 for number, _ in first)
