"""Random functions of nested blocks, run step by step against the recorded truth.

Run as a program with a first seed and a number of programs: prints one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import sys
import warnings

from tests.capture.recorded import House, drive, pause

KEPT = []
"""Abandoned generators would complain when they are collected."""
DEEPEST = 4
STEPS = 150


class Box:
    def take(self, *args, **kwargs):
        return args

    def __getitem__(self, key):
        return key

    def __setitem__(self, key, value):
        pass


class Writer:
    """Writes the source of one program."""

    def __init__(self, chance):
        self.chance = chance
        self.lines = []
        self.count = 0
        self.functions = 0

    def new(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def put(self, indent, text):
        self.lines.append("    " * indent + text)

    def program(self):
        self.function(0, "main")
        return "\n".join(self.lines) + "\n"

    def function(self, indent, name, kind="coroutine", outer=()):
        self.functions += 1
        self.put(indent, f"async def {name}(h, held, flag, found, box, spare, *args, **more):")
        inner = indent + 1
        if outer and self.chance.random() < 0.5:
            self.put(inner, f"nonlocal {self.chance.choice(outer)}")
        names = ["v1", "v2"]
        self.put(inner, "v1 = spare.__aexit__" if self.chance.random() < 0.3 else "v1 = 1")
        if self.chance.random() < 0.5:
            self.put(inner, "v2 = 2")
        if self.chance.random() < 0.3:
            self.put(inner, "see = lambda: (v1, held)")
        if kind == "generator":
            self.put(inner, "yield 0")
        self.block(inner, 0, kind, names, loop=False)
        self.put(inner, "v2 = None")

    def block(self, indent, depth, kind, names, *, loop):
        for _ in range(self.chance.randint(1, 3)):
            self.statement(indent, depth, kind, names, loop=loop)

    def statement(self, indent, depth, kind, names, *, loop):
        weights = {
            self.suspend: 5,
            self.pending: 5,
            self.assign: 2,
            self.with_: 0 if depth >= DEEPEST else 7,
            self.try_: 0 if depth >= DEEPEST else 3,
            self.if_: 0 if depth >= DEEPEST else 2,
            self.loop: 0 if depth >= DEEPEST else 3,
            self.match: 0 if depth >= DEEPEST else 1,
            self.call: 0 if depth >= DEEPEST or self.functions > 4 else 1,
            self.leave: 1,
        }
        write = self.chance.choices(list(weights), list(weights.values()))[0]
        write(indent, depth, kind, names, loop=loop)

    def value(self):
        """An expression that suspends."""
        return self.chance.choice(
            [
                "await nop(1)",
                "await nop(spare)",
                "(await nop(1), await nop(2))[0]",
                "(await nop(1) if flag() else await nop(2))",
                "(flag() and await nop(3))",
                "[await nop(x) for x in (1, 2)]",
                "[x async for x in numbers()]",
                "{x: await nop(x) for x in (1, 2) if await nop(x)}",
                "f'{await nop(1)}-{await nop(2)!r:>{await nop(3)}}'",
                "len([await nop(v1) for v1 in (1, 2)])",
                "await nop(*[await nop()], **{'k': await nop()})",
            ]
        )

    def suspend(self, indent, _depth, kind, _names, *, loop):
        if kind == "generator" and self.chance.random() < 0.5:
            self.put(indent, self.chance.choice(["yield None", "yield spare", "v2 = yield 1"]))
        else:
            self.put(indent, self.chance.choice(["await pause()", "await nop()"]))

    def pending(self, indent, _depth, _kind, _names, *, loop):
        value = self.value()
        self.put(
            indent,
            self.chance.choice(
                [
                    f"found.append({value})",
                    f"box.take(spare.__aexit__, {value})",
                    f"box.stored(spare.__aexit__, {value})",
                    f"box.take(*[spare.__aexit__, {value}], k={value})",
                    f"[spare.__aexit__, spare, {value}]",
                    f"(type(spare).__aexit__, spare, {value}, None, {value})",
                    f"{{spare.__aexit__: {value}}}",
                    f"box[spare.__aexit__, {value}] = {value}",
                    f"str({value})",
                    f"box.stored({value})",
                    f"1 if {value} else {value}",
                ]
            ),
        )

    def assign(self, indent, _depth, _kind, names, *, loop):
        name = self.chance.choice([*names, self.new("v")])
        if name not in names:
            names.append(name)
        self.put(
            indent,
            self.chance.choice(
                [
                    f"{name} = {self.value()}",
                    f"{name} = spare.__aexit__",
                    f"{name} = None",
                    f"{name} = 1; del {name}",
                ]
            ),
        )

    def manager(self):
        """An item of a ``with``, sync or not by its first letter."""
        name = self.new("m")
        error = self.chance.choice([None, None, None, None, "'swallow'", "'enter'", "'leave'"])
        enter, leave = self.chance.randint(0, 1), self.chance.randint(0, 1)
        made = f"h.m('{name}', held, {enter}, {leave}, {error})"
        return self.chance.choice(
            [
                made,
                made,
                made,
                f"await nop({made})",
                f"({made} if flag() else {made.replace(name, name + 'x')})",
                f"[{made}][0]",
                f"(v2 := {made})",
            ]
        )

    def with_(self, indent, depth, kind, names, *, loop):
        if self.chance.random() < 0.25:
            name = self.new("s")
            target = self.chance.choice(["", " as v1"])
            self.put(indent, f"with h.s('{name}', held){target}:")
        else:
            count = self.chance.choice([1, 1, 1, 2, 3])
            targets = [self.chance.choice(["", "", " as v2", " as box[0]"]) for _ in range(count)]
            items = [self.manager() + target for target in targets]
            if self.chance.random() < 0.5:
                self.put(indent, f"async with {', '.join(items)}:")
            else:
                self.put(indent, "async with (")
                for item in items:
                    self.put(indent + 1, item + ",")
                self.put(indent, "):")
        self.block(indent + 1, depth + 1, kind, names, loop=loop)

    def try_(self, indent, depth, kind, names, *, loop):
        inner = indent + 1
        self.put(indent, "try:")
        self.block(inner, depth + 1, kind, names, loop=loop)
        if self.chance.random() < 0.6:
            self.put(inner, self.chance.choice(["raise ValueError", "await boom()", "1 / 0"]))
        shape = self.chance.choice(["except", "except", "finally", "all", "bare"])
        if shape in {"except", "all"}:
            error = self.chance.choice(["ValueError", "(ValueError, KeyError)", "Exception"])
            self.put(indent, f"except {error}{self.chance.choice([' as v1', ''])}:")
            self.block(inner, depth + 1, kind, names, loop=loop)
        if shape == "bare":
            self.put(indent, "except:")
            self.block(inner, depth + 1, kind, names, loop=loop)
            if self.chance.random() < 0.5:
                self.put(inner, "raise")
        if shape == "all":
            self.put(indent, "else:")
            self.block(inner, depth + 1, kind, names, loop=loop)
        if shape in {"finally", "all"}:
            self.put(indent, "finally:")
            self.block(inner, depth + 1, kind, names, loop=False)

    def if_(self, indent, depth, kind, names, *, loop):
        self.put(indent, f"if flag() or {self.value()}:")
        self.block(indent + 1, depth + 1, kind, names, loop=loop)
        if self.chance.random() < 0.5:
            self.put(indent, "else:")
            self.block(indent + 1, depth + 1, kind, names, loop=loop)

    def loop(self, indent, depth, kind, names, *, loop):
        name = self.new("n")
        head = self.chance.choice(
            [
                f"for {name} in (1, 2):",
                f"for {name} in [1, await nop(2)]:",
                f"for {name}, v2 in {{1: 2}}.items():",
                f"async for {name} in numbers():",
                f"async for {name} in h.watched(numbers_inside, h):",
                "while flag():",
                f"for {name} in (await nop(x) for x in ()) if False else range(2):",
            ]
        )
        self.put(indent, head)
        self.block(indent + 1, depth + 1, kind, names, loop=True)
        if self.chance.random() < 0.3:
            self.put(indent, "else:")
            self.block(indent + 1, depth + 1, kind, names, loop=loop)

    def match(self, indent, depth, kind, names, *, loop):
        self.put(indent, f"match {self.value()}:")
        for pattern in ("[v2, *_]", "{1: v2}", "int(v2) if flag()", "_"):
            self.put(indent + 1, f"case {pattern}:")
            self.block(indent + 2, depth + 2, kind, names, loop=loop)

    def call(self, indent, depth, kind, names, *, loop):
        name = self.new("inner")
        inside = self.chance.choice(["coroutine", "generator"])
        self.function(indent, name, inside, ("v1",))
        arguments = "flag, [], box, spare"
        if inside == "coroutine":
            self.put(indent, f"await h.watched({name}, h, {arguments})")
        else:
            self.put(indent, f"async for v2 in h.watched({name}, h, {arguments}):")
            self.block(indent + 1, depth + 1, kind, names, loop=True)

    def leave(self, indent, _depth, kind, _names, *, loop):
        choices = ["raise ValueError", "await boom()"]
        if loop:
            choices += ["break", "continue"]
        choices.append("return" if kind == "generator" else f"return {self.value()}")
        self.put(indent, f"if flag() and flag(): {self.chance.choice(choices)}")


async def nop(*args, **kwargs):
    await pause()
    return args[0] if args else None


async def boom():
    await pause()
    raise ValueError("boom")


async def numbers():
    for number in range(2):
        await pause()
        yield number


async def numbers_inside(h, held):
    async with h.m("numbers", held):
        for number in range(2):
            yield number
            await pause()


class RandomHouse(House):
    """Adds frames that are watched while they live."""

    def watched(self, function, *args):
        held = []
        return self.watch(function(args[0], held, *args[1:]), held)


def run(seed):
    """One program: its house and its source."""
    chance = random.Random(seed)
    source = Writer(chance).program()
    names = {
        "nop": nop,
        "boom": boom,
        "pause": pause,
        "numbers": numbers,
        "numbers_inside": numbers_inside,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # a return in finally is one, from 3.14 on
        exec(compile(source, f"<seed {seed}>", "exec"), names)
    house = RandomHouse()
    box = Box()
    box.stored = lambda *args: args
    budget = [40]

    def flag():
        budget[0] -= 1
        return budget[0] > 0 and chance.random() < 0.5

    async def whole():
        try:
            await house.watched(names["main"], house, flag, [], box, house.m("spare", []))
        except Exception:
            await pause()

    coroutine = whole()
    KEPT.append((house, coroutine))
    try:
        drive(house, coroutine, STEPS)
    except AssertionError as error:
        if str(error) != "endless":
            raise
    return house, source


def main(first, count):
    total = {"exact": 0, "unknown": 0, "missing": 0}
    false = []
    notes = []
    for seed in range(first, first + count):
        house, source = run(seed)
        for key, number in house.seen.items():
            total[key] += number
        if house.false and len(false) < 3:
            false.append([seed, house.false[:3], source])
        notes += [[seed, *note] for note in house.notes[:2]]
    print(json.dumps({"total": total, "false": false, "notes": notes[:20], "lost": len(notes)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)
