"""Random programs of explicit acquire and release, compared with what they say of themselves.

Runs in a child process, on every interpreter. ``plain``: a lock is released in the function
that acquired it, under whatever name. ``wild``: also by functions called meanwhile, by
callbacks and by other tasks, which nobody can see in the function's code.

Usage: python random_acquires.py plain|wild FIRST COUNT
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import sys
from types import SimpleNamespace

LOCKS_EACH = 4
TURNS = 60
ABANDONED = []
"""Tasks that may still wait for each other: they end with the process."""


class House:
    """The locks of one program and the truth about who has them."""

    def __init__(self):
        self.locks = [asyncio.Lock() for _ in range(LOCKS_EACH)]
        self.owner = {}
        for index, lock in enumerate(self.locks):
            setattr(self, f"l{index}", lock)

    def took(self, index):
        self.owner[index] = asyncio.current_task()

    def gave(self, index):
        self.owner.pop(index, None)


class Guard:
    """A context manager that wraps a lock."""

    def __init__(self, house, index):
        self.house = house
        self.index = index
        self._lock = house.locks[index]

    async def __aenter__(self):
        await self._lock.acquire()
        self.house.took(self.index)

    async def __aexit__(self, *_):
        self.house.gave(self.index)
        self._lock.release()


class Writer:
    """Writes one coroutine function."""

    def __init__(self, chance, wild):
        self.chance = chance
        self.wild = wild
        self.lines = []

    def put(self, indent, text):
        self.lines.append("    " * indent + text)

    def name(self, index):
        return self.chance.choice(
            [
                f"G{index}",
                f"LOCKS['k{index}']",
                f"LIST[{index}]",
                f"self.l{index}",
                f"self.box.l{index}",
                f"x{index}",
                f"c{index}",
                f"LOCKS[key{index}]",
            ]
        )

    def function(self, name):
        self.put(0, f"def make_{name}(self, flag):")
        for index in range(LOCKS_EACH):
            self.put(1, f"c{index} = self.locks[{index}]")
        self.put(1, f"async def {name}(self, flag):")
        for index in range(LOCKS_EACH):
            self.put(2, f"x{index} = self.locks[{index}]")
            self.put(2, f"key{index} = 'k{index}'")
        self.put(2, f"if flag(): c{self.chance.randrange(LOCKS_EACH)}.locked()")
        self.block(2, 3, set())
        self.put(1, f"return {name}(self, flag)")

    def block(self, indent, depth, held):
        """Statements; whatever it acquires it has released at its end."""
        entered = set(held)
        for _ in range(self.chance.randint(2, 5)):
            self.statement(indent, depth, held, entered)
        for index in sorted(held - entered):
            self.release(indent, index)
            held.discard(index)
        self.put(indent, "await pause()")

    def statement(self, indent, depth, held, entered):
        free = [index for index in range(LOCKS_EACH) if index not in held]
        kind = self.chance.choice(
            [
                "take",
                "take",
                "give",
                "pause",
                "pause",
                "if",
                "loop",
                "try",
                "with",
                "guard",
                "maybe",
                "rebind",
            ]
        )
        if kind == "pause" or (
            depth == 0 and kind in {"if", "loop", "try", "with", "guard", "maybe"}
        ):
            self.put(indent, "await pause()")
        elif kind == "take" and free:
            index = self.chance.choice(free)
            self.acquire(indent, index)
            held.add(index)
        elif kind == "give" and held - entered:
            index = self.chance.choice(sorted(held - entered))
            self.release(indent, index)
            held.discard(index)
        elif kind == "if":
            self.put(indent, "if flag():")
            self.block(indent + 1, depth - 1, set(held))
            self.put(indent, "else:")
            self.block(indent + 1, depth - 1, set(held))
        elif kind == "loop":
            self.put(indent, "for turn in range(2):")
            self.block(indent + 1, depth - 1, set(held))
        elif kind == "try" and free:
            index = self.chance.choice(free)
            self.acquire(indent, index)
            self.put(indent, "try:")
            self.block(indent + 1, depth - 1, held | {index})
            if self.chance.random() < 0.3:
                self.put(indent + 1, "if flag(): raise KeyError")
            if self.chance.random() < 0.5:
                self.put(indent, "except KeyError:")
                self.put(indent + 1, "await pause()")
            self.put(indent, "finally:")
            if self.chance.random() < 0.5:
                self.put(indent + 1, "await pause()")
            self.release(indent + 1, index)
        elif kind == "with" and free:
            index = self.chance.choice(free)
            self.put(indent, f"async with {self.name(index)}:")
            self.put(indent + 1, f"self.took({index})")
            self.block(indent + 1, depth - 1, held | {index})
            self.put(indent + 1, f"self.gave({index})")
        elif kind == "guard" and free:
            index = self.chance.choice(free)
            self.put(indent, f"async with Guard(self, {index}):")
            self.block(indent + 1, depth - 1, held | {index})
        elif kind == "maybe" and free:
            index = self.chance.choice(free)
            self.put(indent, f"got{indent} = flag()")
            self.put(indent, f"if got{indent}:")
            self.acquire(indent + 1, index)
            self.put(indent, "await pause()")
            self.block(indent, depth - 1, held | {index})
            self.put(indent, f"if got{indent}:")
            self.release(indent + 1, index)
        elif kind == "rebind":
            self.put(indent, f"x{self.chance.randrange(LOCKS_EACH)} = self.locks[turn_of(flag)]")
            for index in range(LOCKS_EACH):  # a name must mean its lock when it is used
                self.put(indent, f"x{index} = self.locks[{index}]")
        else:
            self.put(indent, "await pause()")

    def acquire(self, indent, index):
        name = self.name(index)
        ways = [f"await {name}.acquire()", f"await asyncio.wait_for({name}.acquire(), 100)"]
        if self.wild:
            ways.append(f"await take({name})")
        self.put(indent, self.chance.choice(ways))
        self.put(indent, f"self.took({index})")

    def release(self, indent, index):
        self.put(indent, f"self.gave({index})")
        name = self.name(index)
        ways = [f"{name}.release()"] * 4
        if self.wild:
            ways += [
                f"give({name})",
                f"loop().call_soon({name}.release)",
                f"loop().create_task(give_later({name}))",
                f"self.give({index})",
            ]
        self.put(indent, self.chance.choice(ways))


async def pause():
    await asyncio.sleep(0)


async def take(lock):
    await lock.acquire()


def give(lock):
    lock.release()


async def give_later(lock):
    await asyncio.sleep(0)
    lock.release()


def turn_of(flag):
    return int(flag())


async def run(seed, wild, total, false):
    from asyncconsole.capture.program import Program
    from asyncconsole.capture.slices import finish

    chance = random.Random(seed)
    house = House()
    house.box = SimpleNamespace(**{f"l{i}": lock for i, lock in enumerate(house.locks)})
    house.give = lambda index: house.locks[index].release()
    writer = Writer(chance, wild)
    names = ["f0", "f1", "f2"]
    for name in names:
        writer.function(name)
    source = "\n".join(writer.lines)
    space = {
        "asyncio": asyncio,
        "LOCKS": {f"k{i}": lock for i, lock in enumerate(house.locks)},
        "LIST": house.locks,
        "Guard": Guard,
        "pause": pause,
        "take": take,
        "give": give,
        "give_later": give_later,
        "turn_of": turn_of,
        "loop": asyncio.get_running_loop,
        **{f"G{i}": lock for i, lock in enumerate(house.locks)},
    }
    exec(compile(source, f"<seed {seed}>", "exec"), space)

    def flag():
        return chance.random() < 0.5

    async def whole(name):
        with contextlib.suppress(KeyError):
            await space[f"make_{name}"](house, flag)

    tasks = [asyncio.ensure_future(whole(name)) for name in names]
    program = Program()
    for turn in range(TURNS):
        await asyncio.sleep(0)
        if all(task.done() for task in tasks):
            break
        snapshot = finish(program.capture())
        holders = {item.id: item.holders for item in snapshot.resources}
        for index, lock in enumerate(house.locks):
            number = program.things.known(lock)
            shown = holders.get(f"L{number}", ())
            owner = house.owner.get(index) if lock.locked() else None
            right = owner is not None and program.tasks.known(owner)
            for holder in shown:
                kind = "certain" if holder.certain else holder.how
                good = holder.task == right
                total[f"{kind} {'right' if good else 'wrong'}"] += 1
                if not good and len(false) < 3:
                    false.append([seed, turn, index, kind, holder.line, source])
            if right and not shown:
                total["missed"] += 1
    for _ in range(TURNS):  # 3.11's wait_for() can swallow a cancellation
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)
    ABANDONED.extend(tasks)


def main(kind, first, count):
    kinds = ("certain", "stack", "flow", "inside")
    total = dict.fromkeys([f"{k} {w}" for k in kinds for w in ("right", "wrong")] + ["missed"], 0)
    false = []
    for seed in range(first, first + count):
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        loop.run_until_complete(run(seed, kind == "wild", total, false))
        ABANDONED.append(loop)
    print(json.dumps({"total": total, "false": false}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.flush()
    os._exit(0)
