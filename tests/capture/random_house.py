"""Runs random programs of tasks and compares captures with what they say of themselves.

Runs on every interpreter, in a child process: no third party but uvloop.

Usage: python random_house.py KIND seeds FIRST COUNT
       python random_house.py KIND serve          (a program per line of JSON, an answer each)

KIND: asyncio, debug, eager, uvloop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import sys
import warnings
from collections import Counter

from asyncconsole.act.cycle import in_await_cycle
from asyncconsole.capture import look as capturing
from asyncconsole.capture.program import Program
from asyncconsole.capture.slices import drive, finish
from asyncconsole.diagnose import verdict
from tests.capture import random_tasks

KEPT = []
"""What may still wait for each other: it ends with the process."""
TURNS = 60
"""Turns in which captures are made."""
LAST = 3_000
"""Turns after which a program is taken to go on for ever."""
HOLDABLE = (*random_tasks.LOCKS, *random_tasks.PERMITS, *random_tasks.OWNED)


class Reentrant(asyncio.Lock):
    """A lock that its owner may take again."""

    def __init__(self):
        super().__init__()
        self.owner = None
        self.depth = 0

    async def acquire(self):
        if self.owner is not asyncio.current_task():
            await super().acquire()
            self.owner = asyncio.current_task()
        self.depth += 1
        return True

    def release(self):
        self.depth -= 1
        if not self.depth:
            self.owner = None
            super().release()


class Virtual(asyncio.SelectorEventLoop):
    """A loop whose timers need no time."""

    skipped = 0.0

    def time(self):
        return super().time() + self.skipped

    def skip(self):
        """Go to the next timer; False when there is none."""
        timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]
        if timers:
            self.skipped += max(0.0, min(timers) - self.time())
        return bool(timers)


class Scope:
    """Records that its task has something, from enter to exit."""

    def __init__(self, house, name, then=None, *, how="", lends=False):
        self.house = house
        self.name = name
        self.then = then
        self.how = how
        self.lends = lends

    def __enter__(self):
        self.task = asyncio.current_task()
        if self.lends:
            self.house.gave(self.name)
            self.house.at(self.name)
        else:
            self.house.took(self.name, self.how)

    def __exit__(self, *_):
        if self.lends:
            self.house.took(self.name)
        else:
            self.house.gave(self.name, self.task)


class AsyncScope(Scope):
    """The same, as an item of an ``async with``."""

    async def __aenter__(self):
        self.house.took(self.name)
        if self.then is not None:
            self.house.at(self.then)

    async def __aexit__(self, *_):
        self.house.gave(self.name)


class Guard:
    """A hand-written manager that wraps a lock."""

    def __init__(self, house, lock, name):
        self.house = house
        self.lock = lock
        self.name = name

    async def __aenter__(self):
        self.house.at(self.name)
        await self.lock.acquire()
        self.house.took(self.name, "acquire")

    async def __aexit__(self, *_):
        self.house.gave(self.name)
        self.lock.release()


async def inside(h, lock, name, inner):
    h.at(name)
    async with lock:
        with h.has(name):
            await inner(h)


@contextlib.asynccontextmanager
async def opened(h, lock, name):
    h.at(name)
    async with lock:
        with h.has(name):
            yield


async def rows(h, lock, name):
    h.at(name)
    async with lock:
        with h.has(name, "rows"):
            for number in range(2):
                yield number
                await h.pause()


class House:
    """The primitives of one program, and the truth about who has them and who waits."""

    def __init__(self, chance, unit):
        self.chance = chance
        self.unit = unit
        self.things = {
            **{name: asyncio.Lock() for name in random_tasks.LOCKS},
            "S0": asyncio.BoundedSemaphore(1),
            "S1": asyncio.BoundedSemaphore(2),
            "S2": asyncio.Semaphore(2),
            "R0": Reentrant(),
            "C0": asyncio.Condition(),
            "E0": asyncio.Event(),
            "Q0": asyncio.Queue(1),
            "F0": asyncio.get_running_loop().create_future(),
        }
        self.things["C1"] = asyncio.Condition(self.things["L0"])
        self.lock_of = {"C0": "C0", "C1": "L0"}
        self.owners = {}
        self.how = {}
        self.queue = []
        self.killed = set()
        self.tasks = {}

    def took(self, name, how=""):
        task = asyncio.current_task()
        self._forget(task)
        self.owners.setdefault(self.lock_of.get(name, name), []).append(task)
        if how:
            self.how[name, task] = how

    def gave(self, name, task=None):
        """``task``: who took it; a generator that was left is closed by a task of the loop's."""
        self.owners[self.lock_of.get(name, name)].remove(task or asyncio.current_task())

    def at(self, name):
        """The running task is about to wait for that."""
        task = asyncio.current_task()
        self._forget(task)
        self.queue.append((task, name))

    def _forget(self, task):
        self.queue = [pair for pair in self.queue if pair[0] is not task]

    def has(self, name, how=""):
        return Scope(self, name, how=how)

    def lent(self, name):
        return Scope(self, name, lends=True)

    def within(self, name, then=None):
        return AsyncScope(self, name, then)

    def flag(self):
        return self.chance.random() < 0.3

    def time(self):
        return self.unit * self.chance.choice([1, 3, 10, 30])

    async def pause(self):
        self._forget(asyncio.current_task())
        for _ in range(self.chance.randint(1, 4)):
            await asyncio.sleep(0)

    async def nap(self):
        self._forget(asyncio.current_task())
        await asyncio.sleep(self.time())

    async def acquire(self, lock, name):
        self.at(name)
        await lock.acquire()

    def kill(self, name):
        """A cancellation that no frame of a task tells of."""
        task = self.tasks[name]
        self.killed.add(task)
        task.cancel()

    def give(self, queue):
        if not queue.full():
            queue.put_nowait(1)

    def take(self, queue):
        if not queue.empty():
            queue.get_nowait()


def waits(task):
    """Whether a task is suspended on something that has not happened."""
    future = None if task.done() else task._fut_waiter
    return future is not None and not future.done()


class Comparison:
    """One program's captures against its house."""

    def __init__(self, house, report):
        self.house = house
        self.report = report
        self.count = report["count"]
        self.program = Program()
        self.claims = []

    def wrong(self, what, *details):
        self.count[f"wrong {what}"] += 1
        if len(self.report["wrong"]) < 3:
            self.report["wrong"].append([what, *map(str, details)])

    def compare(self, snapshot):
        """Holders, waiters and queues of a capture made at one go."""
        self.count["captures"] += 1
        tasks = {task.id: task for task in snapshot.tasks}
        items = {item.id: item for item in snapshot.resources}
        me = self.program.tasks.known(asyncio.current_task())
        for gap in snapshot.gaps:
            if gap.what != f"task {me}":
                self.wrong("gap", gap.what, gap.why)
        for name, thing in self.house.things.items():
            number = self.program.things.known(thing)
            item = items.get(f"L{number}") if number else None
            if name in HOLDABLE or name == "C0":
                self._holders(name, item)
            self._queue(name, item, tasks)

    def _holders(self, name, item):
        """Certain holders are right; and nobody who entered by ``async with`` is missing."""
        known = self.program.tasks.known
        owners = self.house.owners.get(name, ())
        truth = [known(task) for task in owners if not task.done()]
        # A generator that was left keeps its lock until a task of the loop's closes it.
        hows = {self.house.how.get((name, task), "") for task in owners}
        shown = item.holders if item is not None else ()
        left = list(truth)
        for holder in shown:
            right = holder.task in truth or (holder.function == "rows" and "rows" in hows)
            if holder.task in left:
                left.remove(holder.task)
            self.count[
                f"{'certain' if holder.certain else 'likely'} {'right' if right else 'wrong'}"
            ] += 1
            if holder.certain and not right:
                self.wrong("certain holder", name, holder, truth)
        if (
            item is not None
            and item.accounted
            and "rows" not in hows
            and (left or len(owners) != len(shown))
        ):
            self.wrong("account", name, shown, truth)
        for task in owners:
            if known(task) in left:
                how = self.house.how.get((name, task))
                if how is None:
                    self.wrong("missing holder", name, task)
                self.count[f"missed {how}"] += 1

    def _queue(self, name, item, tasks):
        """Who waits, in which order."""
        known = self.program.tasks.known
        truth = [known(task) for task, at in self.house.queue if at == name and waits(task)]
        if name in self.house.lock_of:
            truth = []  # told by the condition's kind of wait, or its lock's
        shown = []
        for waiter in item.waiters if item is not None else ():
            task = tasks.get(waiter.task)
            if task is None:
                self.wrong("unknown waiter", name, waiter)
                continue
            shown.append(task.id)
        conditions = {
            known(task) for task, at in self.house.queue if at in self.house.lock_of and waits(task)
        }
        if name in ("L0", "C0", "C1"):
            shown = [number for number in shown if number not in conditions]
            if name == "C0":
                return
        if name == "Q0":
            shown.sort(), truth.sort()  # two queues, of getters and putters
        if name == "F0":
            return  # what awaits the shield of a future waits for the shield
        self.count["waiters"] += len(shown)
        if shown != truth:
            self.wrong("queue", name, shown, truth)

    def verdict(self, first, second):
        """Remember what is said to be stuck for ever."""
        findings = verdict.confirm(first, second).findings
        for finding in findings:
            self.count[f"{finding.verdict} {finding.kind}"] += 1
            if finding.verdict == "deadlock":
                for role in finding.tasks:
                    task = self.program.find(role.id)
                    if task is None:
                        self.wrong("verdict", "on a task that has ended", finding.summary)
                    else:
                        self.claims.append((task, task._fut_waiter, role.role, finding))

    def judge(self):
        """Nothing that was said to be stuck has moved."""
        for task, future, role, finding in self.claims:
            self.count["verdicts"] += 1
            if task.done() or task._fut_waiter is not future:
                if self.house.killed:
                    self.count["verdicts that a hidden cancel() broke"] += 1
                else:
                    self.wrong("verdict", role, finding.summary, finding.assumes, *finding.evidence)


async def run(source, tasks, seed, report, kind):
    """One program, to its end or until nothing moves any more."""
    loop = asyncio.get_running_loop()
    house = House(random.Random(seed), 0.0005 if kind == "uvloop" else 1.0)
    space = {
        "asyncio": asyncio,
        "contextlib": contextlib,
        "TASKS": house.tasks,
        "Guard": Guard,
        "inside": inside,
        "opened": opened,
        "rows": rows,
        **house.things,
    }
    exec(compile(source, f"<seed {seed}>", "exec"), space)

    async def begin(name):
        house._forget(asyncio.current_task())
        await asyncio.sleep(0)
        await space[name](house)

    for name in tasks:
        house.tasks[name] = loop.create_task(begin(name), name=name)
    seen = Comparison(house, report)
    quiet = 0
    me = asyncio.current_task()
    for turn in range(LAST):
        await asyncio.sleep(0)
        if turn < TURNS:
            seen.compare(finish(seen.program.capture()))
        if turn % 3 == 0 and turn < TURNS:
            first = await drive(seen.program.capture())
            second = await drive(seen.program.capture())
            seen.verdict(first, second)
        alive = asyncio.all_tasks() - {me}
        if not alive:
            break
        if any(not waits(task) for task in alive):
            quiet = 0
            continue
        quiet += 1
        if quiet > 2:
            if kind == "uvloop":
                await asyncio.sleep(0.02)
                moved = quiet < 6
            else:
                moved = loop.skip()
            if not moved and quiet > 6:
                break
    else:
        report["count"]["endless"] += 1
    seen.judge()
    first, second = finish(seen.program.capture()), finish(seen.program.capture())
    seen.compare(second)
    seen.verdict(first, second)
    report["count"]["programs"] += 1
    report["count"]["programs that hang"] += bool(alive)
    KEPT.append((seen, alive, space))
    await end(alive)


async def end(tasks):
    """Cancel what is left; not in `run`, whose frame would be one that cancels."""
    for _ in range(60):
        for task in tasks:
            if not in_await_cycle(task):
                task.cancel()
        await asyncio.sleep(0)


def loop_of(kind):
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    loop = Virtual()
    loop.set_debug(kind == "debug")
    loop.slow_callback_duration = 1000
    if kind == "eager":
        loop.set_task_factory(asyncio.eager_task_factory)
    return loop


def once(kind, source, tasks, seed):
    """What one program shows: counts, and what was wrong."""
    report = {"count": Counter(), "wrong": []}
    loop = loop_of(kind)
    loop.set_exception_handler(lambda *_: None)
    asyncio.set_event_loop(loop)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loop.run_until_complete(run(source, tasks, seed, report, kind))
    KEPT.append(loop)
    return report


class Complaints(logging.Handler):
    """What the package logs of its own errors."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        self.found.append(record.getMessage())


def seeds(kind, first, count):
    """Programs by seed."""
    total, wrong = Counter(), []
    for seed in range(first, first + count):
        chance = random.Random(seed)
        source, tasks = random_tasks.write(chance, groups=sys.version_info >= (3, 11))
        report = once(kind, source, tasks, seed)
        total += report["count"]
        wrong += [[seed, *item] for item in report["wrong"]]
    return {"total": total, "wrong": wrong[:10]}


def main(kind, what, *arguments):
    complaints = Complaints()
    logging.getLogger("asyncconsole").addHandler(complaints)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    capturing.SLICE = 1
    if what == "serve":
        for line in sys.stdin:
            asked = json.loads(line)
            report = once(kind, asked["source"], asked["tasks"], asked["seed"])
            print(json.dumps({**report, "logged": complaints.found}), flush=True)
        return
    found = seeds(kind, int(arguments[0]), int(arguments[1]))
    print(json.dumps({**found, "logged": complaints.found[:5]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)
