"""Writes random programs of tasks that take, hold, await, time out and cancel.

Only source is made here, by any ``random.Random``: hypothesis' too. What is written tells
a house (``random_house.py``) what it does, just before and after it does it.
"""

from __future__ import annotations

LOCKS = ("L0", "L1", "L2")
PERMITS = ("S0", "S1", "S2")
"""A bounded semaphore of one permit, one of two, and one that doesn't tell its bound."""
CONDITIONS = ("C0", "C1")
"""One with a lock of its own, and one that shares ``L0``."""
OWNED = ("R0",)
"""A re-entrant subclass of Lock."""
DEEPEST = 3
MOST_LINES = 160


class Writer:
    """One program. ``groups``: may use what came with 3.11."""

    def __init__(self, chance, *, groups):
        self.chance = chance
        self.groups = groups
        self.lines = []
        self.count = 0
        self.explicit = chance.random() < 0.35
        self.tasks = [f"t{n}" for n in range(chance.randint(2, 5))]

    def put(self, indent, text):
        self.lines.append("    " * indent + text)

    def new(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def program(self):
        for name in self.tasks:
            self.put(0, f"async def {name}(h):")
            self.block(1, 0, (), start=True)
        return "\n".join(self.lines) + "\n"

    def block(self, indent, depth, held, *, start=False):
        for _ in range(self.chance.randint(1, 2 + start)):
            self.statement(indent, depth, held)

    def statement(self, indent, depth, held):
        deeper = depth < DEEPEST and len(self.lines) < MOST_LINES
        weights = {
            self.pause: 8,
            self.leave: 2,
            self.cancel: 2,
            self.signal: 4,
            self.wait: 1,
            self.await_other: 0.4,
            self.with_: 12 * deeper,
            self.several: 2 * deeper,
            self.helper: 2 * deeper,
            self.stack: 2 * deeper,
            self.manager: 2 * deeper,
            self.rows: 1 * deeper,
            self.acquire: 4 * (deeper and self.explicit),
            self.guard: 2 * (deeper and self.explicit),
            self.condition: 2 * deeper,
            self.try_: 1 * deeper,
            self.children: 4 * deeper,
            self.bounded: 2 * deeper,
        }
        kinds = list(weights)
        write = self.chance.choices(kinds, [weights[kind] for kind in kinds])[0]
        write(indent, depth, held)

    def thing(self, held):
        """A lock or semaphore; rarely one that is held already."""
        every = [*LOCKS, *LOCKS, *PERMITS, *OWNED]
        free = [name for name in every if name not in held]
        return self.chance.choice(free if free and self.chance.random() < 0.95 else every)

    def pause(self, indent, _depth, _held):
        self.put(
            indent, self.chance.choice(["await h.pause()", "await h.pause()", "await h.nap()"])
        )

    def leave(self, indent, _depth, _held):
        self.put(
            indent,
            "if h.flag(): "
            + self.chance.choice(["return", "return await h.pause()", "raise ValueError"]),
        )

    def cancel(self, indent, _depth, _held):
        other = self.chance.choice(self.tasks)
        how = self.chance.choice([f"TASKS[{other!r}].cancel()"] * 3 + [f"h.kill({other!r})"])
        self.put(indent, f"if h.flag(): {how}")

    def signal(self, indent, _depth, _held):
        self.put(
            indent,
            self.chance.choice(
                ["E0.set()", "h.give(Q0)", "h.take(Q0)", "F0.done() or F0.set_result(1)"]
            ),
        )

    def wait(self, indent, _depth, _held):
        name, call = self.chance.choice(
            [("E0", "E0.wait()"), ("Q0", "Q0.get()"), ("Q0", "Q0.put(1)"), ("F0", "F0")]
        )
        call = f"asyncio.shield({call})" if name == "F0" else call
        self.put(indent, f"h.at({name!r}); await {call}")

    def await_other(self, indent, _depth, _held):
        other = self.chance.choice(self.tasks)
        task = f"TASKS[{other!r}]"
        self.put(
            indent,
            "h.at('task'); "
            + self.chance.choice(
                [
                    f"await asyncio.shield({task})",
                    f"await asyncio.wait([{task}])",
                    f"await {task}",
                    f"await asyncio.wait([{task}, F0], return_when='FIRST_COMPLETED')",
                    f"await asyncio.gather({task}, return_exceptions=True)",
                ]
            ),
        )

    def with_(self, indent, depth, held):
        name = self.thing(held)
        self.put(indent, f"h.at({name!r})")
        self.put(indent, f"async with {name}:")
        if self.chance.random() < 0.5:
            self.put(indent + 1, f"with h.has({name!r}):")
            self.block(indent + 2, depth + 1, (*held, name))
            return
        self.put(indent + 1, f"h.took({name!r})")
        self.put(indent + 1, "try:")
        self.block(indent + 2, depth + 1, (*held, name))
        self.put(indent + 1, "finally:")
        self.put(indent + 2, f"h.gave({name!r})")

    def several(self, indent, depth, held):
        first, second = self.chance.sample([*LOCKS, *PERMITS], 2)
        self.put(indent, f"h.at({first!r})")
        self.put(
            indent,
            f"async with {first}, h.within({first!r}, {second!r}), {second}, h.within({second!r}):",
        )
        self.block(indent + 1, depth + 1, (*held, first, second))

    def inner(self, indent, depth, held):
        """A function of its own; gives its name."""
        name = self.new("f")
        self.put(indent, f"async def {name}(h):")
        self.block(indent + 1, depth + 1, held)
        return name

    def helper(self, indent, depth, held):
        name = self.thing(held)
        inner = self.inner(indent, depth, (*held, name))
        self.put(indent, f"await inside(h, {name}, {name!r}, {inner})")

    def stack(self, indent, depth, held):
        name = self.thing(held)
        self.put(indent, "async with contextlib.AsyncExitStack() as stack:")
        self.put(indent + 1, f"h.at({name!r})")
        self.put(indent + 1, f"await stack.enter_async_context({name})")
        self.put(indent + 1, f"stack.enter_context(h.has({name!r}))")
        self.block(indent + 1, depth + 1, (*held, name))

    def manager(self, indent, depth, held):
        name = self.thing(held)
        self.put(indent, f"async with opened(h, {name}, {name!r}):")
        self.block(indent + 1, depth + 1, (*held, name))

    def rows(self, indent, depth, held):
        name = self.thing(held)
        self.put(indent, f"async for _ in rows(h, {name}, {name!r}):")
        self.block(indent + 1, depth + 1, (*held, name))
        if self.chance.random() < 0.2:
            self.put(indent + 1, "if h.flag(): break")

    def acquire(self, indent, depth, held):
        name = self.thing(held)
        self.put(
            indent,
            self.chance.choice(
                [f"h.at({name!r}); await {name}.acquire()"] * 3
                + [f"h.at('task'); await asyncio.wait_for(h.acquire({name}, {name!r}), h.time())"]
            ),
        )
        self.put(indent, f"h.took({name!r}, 'acquire')")
        self.put(indent, "try:")
        self.block(indent + 1, depth + 1, (*held, name))
        self.put(indent, "finally:")
        self.put(indent + 1, f"h.gave({name!r})")
        self.put(indent + 1, f"{name}.release()")

    def guard(self, indent, depth, held):
        name = self.thing(held)
        self.put(indent, f"async with Guard(h, {name}, {name!r}):")
        self.block(indent + 1, depth + 1, (*held, name))

    def condition(self, indent, depth, held):
        name = self.chance.choice(CONDITIONS)
        self.put(indent, f"h.at({name!r})")
        self.put(indent, f"async with {name}:")
        self.put(indent + 1, f"with h.has({name!r}):")
        if self.chance.random() < 0.5:
            self.put(indent + 2, f"{name}.notify({self.chance.randint(1, 3)})")
            self.block(indent + 2, depth + 1, (*held, name, "L0"))
            return
        self.put(indent + 2, f"with h.lent({name!r}):")
        self.put(indent + 3, f"await {name}.wait()")
        self.block(indent + 2, depth + 1, (*held, name, "L0"))

    def try_(self, indent, depth, held):
        self.put(indent, "try:")
        self.block(indent + 1, depth + 1, held)
        if self.chance.random() < 0.4:
            self.put(indent, "finally:")
            self.put(indent + 1, "await h.pause()")
            return
        self.put(
            indent,
            self.chance.choice(
                ["except ValueError:", "except Exception:", "except asyncio.CancelledError:"]
            ),
        )
        self.put(indent + 1, "await h.pause()")

    def children(self, indent, depth, held):
        free = held if self.chance.random() < 0.3 else ()
        names = [self.inner(indent, depth, free) for _ in range(self.chance.randint(1, 2))]
        if self.groups and self.chance.random() < 0.4:
            self.put(indent, "async with asyncio.TaskGroup() as group:")
            for name in names:
                self.put(indent + 1, f"group.create_task({name}(h))")
            self.put(indent + 1, "try:")
            self.block(indent + 2, depth + 1, held)
            self.put(indent + 1, "finally:")
            self.put(indent + 2, "h.at('task')")
            return
        made = [f"asyncio.create_task({name}(h))" for name in names]
        self.put(indent, f"made = [{', '.join(made)}]")
        self.block(indent, depth + 1, held)
        how = [
            "await asyncio.gather(*made)",
            "await asyncio.gather(*made, return_exceptions=True)",
            "await asyncio.wait(made)",
            "await asyncio.shield(made[0])",
            "await made[-1]",
            "await asyncio.wait(made, timeout=h.time())",
            "await asyncio.wait(made, return_when='FIRST_EXCEPTION')",
        ]
        self.put(indent, "h.at('task'); " + self.chance.choice(how))

    def bounded(self, indent, depth, held):
        if self.groups and self.chance.random() < 0.5:
            self.put(indent, "try:")
            self.put(indent + 1, "async with asyncio.timeout(h.time()):")
            self.block(indent + 2, depth + 1, held)
        else:
            name = self.inner(indent, depth, held)
            call = self.chance.choice([f"{name}(h)", f"asyncio.shield({name}(h))"])
            self.put(indent, "try:")
            self.put(indent + 1, f"h.at('task'); await asyncio.wait_for({call}, h.time())")
        self.put(indent, "except asyncio.TimeoutError:")
        self.put(indent + 1, "await h.pause()")


def write(chance, *, groups):
    """The source of one program, and the names of its first tasks."""
    writer = Writer(chance, groups=groups)
    return writer.program(), writer.tasks
