"""Random programs of tasks that wait for each other, and what became of them.

``random_waits.py FIRST COUNT [MUTANT]`` runs that many programs, each until nothing moves any
more: who is blocked on the same future then as when the verdict was asked was stuck in truth.
Prints JSON: how many were called stuck, how many were, and who was called so and was not.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import json
import random
import sys
import threading
import time
import weakref

from asyncconsole.capture import autopsy, frozen
from asyncconsole.capture.program import shared
from asyncconsole.capture.slices import finish
from asyncconsole.diagnose.graph import Graph

GLOBALS = {}
KEPT = []
QUIET = 1.2
"""Seconds after which no timer of a program is left."""

TOGETHER = 15
"""Programs that run at once; one look sees all of them."""


class Box:
    """Something of the program's that has a primitive in an attribute."""

    def __init__(self, thing):
        self.thing = thing


class Handle:
    """How a task refers to a primitive: itself, through an object, a global, or weakly."""

    WAYS = ("plain", "plain", "box", "global", "cell", "weak")

    def __init__(self, way, number, thing):
        self.way = way
        self.key = self, number
        self.thing = thing
        if self.way == "box":
            self.thing = Box(thing)
        elif self.way == "global":
            GLOBALS[self.key] = thing
            self.thing = None
        elif self.way == "cell":
            self.thing = lambda: thing
        elif self.way == "weak":
            self.thing = weakref.ref(thing)
            KEPT.append(thing)  # until it is in use

    def get(self):
        if self.way == "box":
            return self.thing.thing
        if self.way == "global":
            return GLOBALS[self.key]
        return self.thing() if self.way in {"cell", "weak"} else self.thing


class House:
    """One random program."""

    def __init__(self, seed):
        self.seed = seed
        self.rng = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        self.tasks = []
        self.timers = []
        rng = self.rng
        things = [asyncio.Event() for _ in range(3)]
        things += [asyncio.Queue(rng.choice([0, 1])) for _ in range(2)]
        things += [asyncio.Lock() for _ in range(2)]
        things += [asyncio.Semaphore(2), asyncio.BoundedSemaphore(rng.choice([1, 2]))]
        things += [asyncio.Condition()]
        things += [self.loop.create_future() for _ in range(2)]
        self.handles = [
            Handle(rng.choice(Handle.WAYS), index, thing) for index, thing in enumerate(things)
        ]
        del things

    def script(self, depth=0):
        return [self.step(depth) for _ in range(self.rng.randint(1, 4))]

    def step(self, depth):  # noqa: PLR0911 - a choice each
        rng = self.rng
        handle = rng.choice(self.handles)
        thing = handle.get()
        if rng.random() < 0.18:
            return ("sleep", rng.choice([0, 0.01, 0.3, 0.6]))
        if depth < 2 and rng.random() < 0.15:
            ways = ["gather", "wait", "wait_for", "shield", "child", "group"]
            return (rng.choice(ways), [self.script(depth + 1) for _ in range(rng.randint(1, 2))])
        if rng.random() < 0.1:
            return ("later", handle, rng.choice([0.02, 0.5]))
        if rng.random() < 0.08:
            return ("thread", handle, 0.5)
        if isinstance(thing, asyncio.Event):
            return (rng.choice(["wait_event", "wait_event", "set"]), handle)
        if isinstance(thing, asyncio.Queue):
            return (rng.choice(["get", "put", "get", "put", "join", "done"]), handle)
        if isinstance(thing, asyncio.Condition):
            return (rng.choice(["wait_condition", "notify"]), handle)
        if isinstance(thing, (asyncio.Lock, asyncio.Semaphore)):
            if depth < 3 and rng.random() < 0.7:
                return ("with", handle, self.script(depth + 1))
            return (rng.choice(["acquire", "release"]), handle)
        return (rng.choice(["await", "resolve"]), handle)

    def start(self):
        for index in range(self.rng.randint(3, 6)):
            self.spawn(self.script(), f"{self.seed}-{index}")
        self.handles = []

    def spawn(self, script, name):
        task = self.loop.create_task(run(self, script, name), name=name)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.tasks.append(weakref.ref(task) if self.rng.random() < 0.3 else lambda: task)
        self.timers.append(task)  # as careful programs do, or it might be collected
        return task


def act(thing):
    """What a timer or a thread does to end a wait."""
    with contextlib.suppress(Exception):
        if isinstance(thing, asyncio.Event):
            thing.set()
        elif isinstance(thing, asyncio.Queue):
            thing.put_nowait(1)
        elif isinstance(thing, asyncio.Future):
            thing.set_result(1)
        elif isinstance(thing, (asyncio.Lock, asyncio.Semaphore)):
            thing.release()


async def run(house, script, name):
    """Do what the script says; what is done is forgotten."""
    script.reverse()
    while script:
        step = script.pop()
        await do(house, step, name)
        del step


async def do(house, step, name):
    word = step[0]
    thing = step[1].get() if isinstance(step[1], Handle) else None
    if thing is None and isinstance(step[1], Handle):
        return  # gone
    rest = step[2] if len(step) > 2 else step[1]
    del step
    if word == "sleep":
        await asyncio.sleep(rest)
    elif word in {"gather", "wait", "wait_for", "shield", "child", "group"}:
        await family(house, word, rest, name)
    elif word == "later":
        house.loop.call_later(rest, act, thing)
    elif word == "thread":
        threading.Thread(target=from_thread, args=(house.loop, thing, rest), daemon=True).start()
    elif word == "with":
        async with thing:
            await run(house, rest, name)
    else:
        await simple(word, thing)


def from_thread(loop, thing, seconds):
    time.sleep(seconds)
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(act, thing)


async def family(house, word, scripts, name):
    """Start children and wait for them."""
    parts = list(enumerate(scripts))
    scripts.clear()
    if word == "group" and sys.version_info >= (3, 11):
        async with asyncio.TaskGroup() as group:
            for index, script in parts:
                group.create_task(run(house, script, f"{name}.{index}"), name=f"{name}.{index}")
            del parts, script
        return
    tasks = [house.spawn(script, f"{name}.{index}") for index, script in parts]
    del parts
    if word == "gather":
        await asyncio.gather(*tasks, return_exceptions=house.rng.random() < 0.5)
    elif word == "wait":
        await asyncio.wait(tasks)
    elif word == "wait_for":
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(tasks[0], house.rng.choice([0.5, 5000]))
    elif word == "shield":
        await asyncio.shield(tasks[0])
    else:
        await tasks[0]


async def simple(word, thing):
    """One step on one primitive."""
    if word == "wait_event":
        await thing.wait()
    elif word == "set":
        thing.set()
    elif word == "get":
        await thing.get()
    elif word == "put":
        await thing.put(1)
    elif word == "join":
        await thing.join()
    elif word == "done":
        with contextlib.suppress(ValueError):
            thing.task_done()
    elif word == "wait_condition":
        async with thing:
            await thing.wait()
    elif word == "notify":
        async with thing:
            thing.notify_all()
    elif word == "acquire":
        await thing.acquire()
    elif word == "release":
        with contextlib.suppress(RuntimeError, ValueError):
            thing.release()
    elif word == "await":
        await thing
    elif word == "resolve" and not thing.done():
        thing.set_result(1)


def look():
    """One look with a frozen copy, as plain data."""
    program = shared()
    first = finish(program.capture())
    told = autopsy.read(b"".join(frozen.run(lambda: autopsy.tell(program), 20)))
    second = finish(program.capture())
    second = dataclasses.replace(second, autopsy=told)
    tokens = {task.id: task.wait.token for task in first.tasks if task.wait is not None}
    moving = frozenset(
        task.id
        for task in second.tasks
        if task.wait is None or tokens.get(task.id) != task.wait.token
    )
    return second, Graph(second, moving).stuck()


class Known(House):
    """A program that was not thrown by dice: one trap each that a prover may step into."""

    def __init__(self, name):
        super().__init__(0)
        self.seed = name
        self.alarm = asyncio.Event()  # set when the verdict is asked, and nobody has run since

    def start(self):
        getattr(self, self.seed)()
        self.handles = []

    def weak(self):
        event = asyncio.Event()
        weakly = Handle("weak", 0, event)
        self.spawn([("wait_event", weakly)], "weak-waits")
        self.spawn([("sleep", 0.6), ("set", weakly)], "weak-sets")
        KEPT.append(event)

    def ready(self):
        event = Handle("plain", 0, asyncio.Event())
        self.spawn([("wait_event", event)], "ready-waits")
        self.spawn([("wait_event", Handle("plain", 0, self.alarm)), ("set", event)], "ready-sets")

    def permits(self):
        gate = Handle("plain", 0, asyncio.BoundedSemaphore(2))
        never = Handle("plain", 0, asyncio.Event())
        for name, waiting in (("stuck", never.thing.wait()), ("moves", asyncio.sleep(0.6))):
            task = self.loop.create_task(holding(gate.thing, waiting), name=f"permits-{name}")
            self.timers.append(task)
        self.spawn([("sleep", 0.01), ("with", gate, [])], "permits-waits")


async def holding(gate, waiting):
    """Hold a permit; no code here gives it back otherwise."""
    async with gate:
        await waiting


KNOWN = ("weak", "ready", "permits")


async def batch(seeds, pause, blocked):
    """Run programs side by side; who was called stuck, and who was."""
    houses = [House(seed) for seed in seeds] + [Known(name) for name in KNOWN]
    for house in houses:
        house.start()
    await asyncio.sleep(pause)
    KEPT.clear()
    for house in houses[-len(KNOWN) :]:
        house.alarm.set()
    looking = concurrent.futures.ThreadPoolExecutor(1).submit(look)
    if not blocked:
        await asyncio.wrap_future(looking)
    found, called = looking.result()
    waits = {task.id: (task.name, task.wait.token) for task in found.tasks if task.wait}
    await asyncio.sleep(QUIET)
    late = await asyncio.to_thread(lambda: finish(shared().capture()))
    still = {task.id: task.wait.token for task in late.tasks if task.wait}
    me = shared().tasks.known(asyncio.current_task())
    truth = {n for n, (_, token) in waits.items() if still.get(n) == token and n != me}
    wrong = [f"{seeds}: {waits.get(n, n)}" for n in called - truth]
    bounded = {task.id for task in late.tasks if task.deadline is not None}
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0.05)
    GLOBALS.clear()
    return len(called & truth), len(truth - bounded), wrong


async def main(first, count):
    totals = [0, 0]
    wrong = []
    for index, start in enumerate(range(first, first + count, TOGETHER)):
        seeds = range(start, min(start + TOGETHER, first + count))
        pause = QUIET if index % 4 == 3 else 0.02
        called, truth, false = await batch(seeds, pause, blocked=index % 2 == 0)
        totals[0] += called
        totals[1] += truth
        wrong += false
    print(json.dumps({"called": totals[0], "truth": totals[1], "wrong": wrong}))


if __name__ == "__main__":
    if len(sys.argv) > 3:
        from tests.diagnose import broken_provers

        broken_provers.install(sys.argv[3])
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
