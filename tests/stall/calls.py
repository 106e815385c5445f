"""Frames that call something, and what that is said to be: prints JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from asyncconsole.stall.call import calling

said = {}


class Thing:
    """Says what its caller is calling, in every way it can be called."""

    def look(self, name, *_):
        frame = sys._getframe(1)
        said[name] = calling(frame.f_code, frame.f_lasti, frame.f_lineno)
        return self

    def __enter__(self):
        frame = sys._getframe(1)
        said["with"] = calling(frame.f_code, frame.f_lasti, frame.f_lineno)

    def __exit__(self, *_):
        pass

    def __add__(self, other):
        frame = sys._getframe(1)
        said["operator"] = calling(frame.f_code, frame.f_lasti, frame.f_lineno)
        return 1


thing = Thing()
things = {"a": thing}


async def deep():
    frame = sys._getframe(1)
    said["await"] = calling(frame.f_code, frame.f_lasti, frame.f_lineno)


async def outer():
    await deep()


thing.look("method")
thing.look(
    "lines",
    1,
)
if thing.look("condition"):
    pass
things["a"].look("item")
both = ("äöü", thing.look("umlauts"))
with thing:
    pass
thing + 1
asyncio.run(outer())
exec("thing.look('no source')")
exec(compile("thing.look('binary')", sys.executable, "exec"))
print(json.dumps(said))
