"""Properties of reading exits that need a process of their own; run with the name of one.

Prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time

from asyncconsole.capture import exits as module
from asyncconsole.capture._stack import InForce, Point, Shape
from asyncconsole.capture.exits import async_iterators, exits_in_force, referents
from tests.capture import constructs
from tests.capture.construct import CASES, nop
from tests.capture.recorded import House, drive, pause

LINES = """\
async def run(h, accounts, held, flag):
    async with accounts["src"], accounts["dst"] as both:
        await pause()
    async with (
        accounts["src"] as one,
        accounts[
            "dst"
        ] as two,
    ):
        await pause()
    async with await nop(accounts["src"]), (accounts["dst"]):
        await pause()
    async with accounts["src"] if flag else accounts["dst"]:
        await pause()
    with h.s("ä", held), h.s("ß", held) as three: await pause()
    async with accounts["src"]:

        async with accounts[
            "dst"]: return await nop()
"""


def lines():
    """Line and source text of each with-item in force, at each suspension in a body."""
    names = {"pause": pause, "nop": nop}
    exec(compile(LINES, "<lines>", "exec"), names)
    house, held = House(), []
    accounts = {name: house.m(name, held, 0, 0) for name in ("src", "dst")}
    coroutine = names["run"](house, accounts, held, True)
    seen = []
    source = [line.encode() for line in LINES.splitlines()]
    with contextlib.suppress(StopIteration):
        while True:
            coroutine.send(None)
            if not held:
                continue
            found = []
            for item in exits_in_force(coroutine):
                text = None
                if item.span is not None:
                    line, end_line, column, end_column = item.span
                    cut = source[line - 1 : end_line]
                    cut[-1] = cut[-1][:end_column]
                    cut[0] = cut[0][column:]
                    text = " ".join(b" ".join(cut).decode().split())
                found.append([str(item.manager), item.line, item.is_async, text])
            seen.append(found)
    return seen


def threads():
    """One thread runs frames, another reads them: never a manager that is not there."""
    house = House()
    managers = {name: house.m(name, [], 0, 0) for name in ("a", "b", "c", "spare")}
    allowed = [[], ["a"], ["a", "b"], ["c"]]

    async def work(a, b, c, spare):
        while True:
            await pause()
            async with a:
                await pause()
                async with b as box:
                    [spare.__aexit__, spare, await pause(), box]
            [spare.__aexit__, spare, await pause()]
            async with c:
                [spare.__aexit__, await pause(), await pause()]

    for manager in managers.values():
        manager.__class__ = type("Quick", (), {"__aenter__": _nothing, "__aexit__": _nothing})
    coroutine = work(**managers)
    names = {id(manager): name for name, manager in managers.items()}
    wrong, answers = [], {}
    done = threading.Event()

    def read():
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            found = exits_in_force(coroutine)
            key = None if found is None else [names[id(item.manager)] for item in found]
            answers[str(key)] = answers.get(str(key), 0) + 1
            if key is not None and key not in allowed:
                wrong.append(key)
        done.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    reader = threading.Thread(target=read)
    reader.start()
    while not done.is_set():
        coroutine.send(None)
    reader.join()
    sys.setswitchinterval(interval)
    return {"wrong": wrong[:5], "answers": answers}


async def _nothing(self, *exc):
    return None


class Touchy(type):
    """A class whose every attribute access is counted, of itself and of its instances."""

    touched = 0

    def __getattribute__(cls, name):
        Touchy.touched += 1
        return super().__getattribute__(name)

    def __instancecheck__(cls, instance):
        Touchy.touched += 1
        return False

    __subclasscheck__ = __instancecheck__


def hostile():
    """Nothing of the program's own code runs when its frames are read."""

    def count(self, *args):
        Touchy.touched += 1
        raise RuntimeError

    async def leave(self, *exc):
        pass

    body = dict.fromkeys(
        ("__getattribute__", "__eq__", "__bool__", "__repr__", "__len__", "__iter__"), count
    )
    body |= {"__hash__": count, "__call__": count, "__class__": property(count)}
    kind = Touchy("Kind", (), {**body, "__aenter__": leave, "__aexit__": leave})

    async def run(manager, other):
        async with manager:
            [manager, await pause()]
            async with other:
                manager(other, await pause())

    coroutine = run(kind(), kind())
    found = []
    with contextlib.suppress(RuntimeError):
        while True:
            coroutine.send(None)
            Touchy.touched = 0
            found.append(len(exits_in_force(coroutine)))
            async_iterators(coroutine)
            referents(coroutine)
            found.append(Touchy.touched)
    return found


def equal_codes():
    """Equal code objects keep their own answers, and the cache stays bounded."""
    made = []
    for _ in range(module.CACHED + 100):
        names = {"pause": pause}
        if len(made) > 1:
            source = f"async def run(a):\n  async with a: return await pause(), {len(made)}"
        else:
            source = "async def run(a):\n  async with a: return await pause()"
        exec(source, names)
        made.append(names["run"].__code__)
    one, other = made[:2]
    shapes = [module._shape(code) for code in made]
    return {
        "equal": one == other and one is not other,
        "separate": shapes[0] is not shapes[1],
        "bounded": len(module._shapes) <= module.CACHED,
        "kept": module._shape(made[-1]) is shapes[-1],
    }


def unknown_version():
    """An interpreter that nobody has looked at gives no answers."""
    module._KNOWN = False

    async def run(h):
        async with h.m("a", enter=0):
            await pause()

    house = House()
    coroutine = run(house)
    coroutine.send(None)
    answers = [exits_in_force(coroutine), async_iterators(coroutine)]
    drive(house, coroutine)
    return answers


def traced():
    """The same answers while the program is traced."""

    def trace(*_):
        return trace

    sys.settrace(trace)
    report = _report()
    sys.settrace(None)
    return report


def all_on_stack():
    """A broken reader, which takes every exit on a stack for one in force."""
    return _broken(lambda point: _with_exits(point, _every_exit(point)))


def inner_lost():
    """A broken reader, which does not know the innermost exit."""
    return _broken(lambda point: _with_exits(point, point.exits[:-1]))


def _every_exit(point):
    found = []
    for index, slot in enumerate(point.stack):
        if slot.what == "exit":
            owner = index + 1 if sys.version_info >= (3, 14) else -1
            found.append(InForce(index, owner, slot.name == "__aexit__", 1, None))
    return tuple(found)


def _with_exits(point, exits):
    return Point(
        point.stack,
        point.awaiting,
        point.handling,
        point.least,
        point.most,
        exits,
        point.iterators,
    )


def _broken(change):
    right = module._reader()

    def wrong(code):
        shape = right(code)
        points = {at: change(point) for at, point in shape.points.items()}
        return Shape(points, shape.begin)

    module._reader = lambda: wrong
    return _report()


def _report():
    total = {"exact": 0, "unknown": 0, "missing": 0, "false": 0}
    for function in CASES.values():
        house = House()
        coroutine = function(house)
        house.watch(coroutine, house.held)
        drive(house, coroutine)
        for key, number in house.seen.items():
            total[key] += number
        total["false"] += len(house.false)
    return total


if __name__ == "__main__":
    assert constructs.CASES is CASES
    print(json.dumps(globals()[sys.argv[1]]()))
