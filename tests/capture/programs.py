"""Programs that wait in every way the spine knows, each with the truth about itself.

Runs in a child process (no pytest here): each scenario gets a loop of its own in a
thread, is left to hang, is captured twice from outside, and is cancelled. Prints
one JSON document: scenario to snapshot and findings.

Usage: python programs.py LOOP    (asyncio, debug, uvloop, eager)
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import sys
import threading

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def spawn(coro, name):
    task = asyncio.get_running_loop().create_task(coro, name=name)
    # how a scenario is ended makes odd exceptions; nobody need hear of them
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


LOCKS = {"alice": asyncio.Lock(), "bob": asyncio.Lock(), "carol": asyncio.Lock()}
GLOBAL = asyncio.Lock()
GATE = asyncio.BoundedSemaphore(2)
SLOTS = asyncio.Semaphore(1)


async def hold(lock, inner):
    async with lock:
        await inner()


async def for_ever():
    await asyncio.Event().wait()


def transfer(first, second, arrived):
    async def run():
        async with LOCKS[first]:
            arrived.append(first)
            while len(arrived) < 2:
                await asyncio.sleep(0)
            async with LOCKS[second]:
                pass

    return run()


@scenario
async def two_locks():
    arrived = []
    tasks = [
        spawn(transfer("alice", "bob", arrived), "a→b"),
        spawn(transfer("bob", "alice", arrived), "b→a"),
    ]

    async def audit():
        while len(arrived) < 2:
            await asyncio.sleep(0)
        async with LOCKS["alice"]:
            pass

    tasks.append(spawn(audit(), "audit"))
    return tasks


@scenario
async def three_locks_in_a_circle():
    names = list(LOCKS)
    arrived = []

    async def step(index):
        async with LOCKS[names[index]]:
            arrived.append(index)
            while len(arrived) < 3:
                await asyncio.sleep(0)
            async with LOCKS[names[(index + 1) % 3]]:
                pass

    return [spawn(step(index), f"step-{index}") for index in range(3)]


class Settings:
    def __init__(self):
        self._mutex = asyncio.Lock()

    async def save(self):
        async with self._mutex:
            await self.flush()

    async def flush(self):
        async with self._mutex:
            pass


@scenario
async def own_lock():
    return [spawn(Settings().save(), "save")]


def stopping(how):
    """A holder that awaits, by ``how``, a task that waits for the lock."""

    async def stop(lock):
        async def worker():
            async with lock:
                pass

        async with lock:
            await how(spawn(worker(), "worker"))

    return stop


async def _bare(task):
    await task


async def _gather(task):
    await asyncio.gather(task, asyncio.sleep(0))


async def _shield(task):
    await asyncio.shield(task)


async def _wait_for(task):
    await asyncio.wait_for(task, None)


async def _wait(task):
    await asyncio.wait([task])


for _how in (_bare, _gather, _shield, _wait_for, _wait):

    def _make(how=_how):
        async def run():
            return [spawn(stopping(how)(asyncio.Lock()), "stop")]

        return run

    SCENARIOS[f"lock_and{_how.__name__}"] = _make()

if hasattr(asyncio, "TaskGroup"):

    @scenario
    async def lock_and_task_group():
        lock = asyncio.Lock()

        async def worker():
            async with lock:
                pass

        async def stop():
            async with lock, asyncio.TaskGroup() as group:
                group.create_task(worker(), name="worker")

        return [spawn(stop(), "stop")]


@scenario
async def await_cycle():
    tasks = {}

    async def follow(other):
        while other not in tasks:
            await asyncio.sleep(0)
        await tasks[other]

    for name, other in (("x", "y"), ("y", "z"), ("z", "x")):
        tasks[name] = spawn(follow(other), name)
    return list(tasks.values())


@scenario
async def held_in_many_ways():
    """No deadlock: what is held through stacks, generators and helpers."""
    attribute = Settings()

    @contextlib.asynccontextmanager
    async def transaction(lock):
        async with lock:
            yield

    async def by_manager():
        async with transaction(LOCKS["alice"]):
            await for_ever()

    async def by_stack():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(LOCKS["bob"])
            await for_ever()

    async def rows():
        async with LOCKS["carol"]:
            yield 1
            yield 2

    async def by_generator():
        async for _ in rows():
            await for_ever()

    async def by_attribute():
        await hold(attribute._mutex, for_ever)

    async def permit():
        async with GATE:
            await for_ever()

    async def several():
        async with GLOBAL, SLOTS:
            try:
                await for_ever()
            finally:
                pass

    async def not_holding():
        exits = GLOBAL.__aexit__
        await for_ever()
        return exits

    makers = {
        "by_manager": by_manager,
        "by_stack": by_stack,
        "by_generator": by_generator,
        "by_attribute": by_attribute,
        "permit-1": permit,
        "permit-2": permit,
        "several": several,
        "not_holding": not_holding,
    }
    return [spawn(make(), name) for name, make in makers.items()]


@scenario
async def waits_of_every_kind():
    condition = asyncio.Condition()
    event = asyncio.Event()
    empty, full = asyncio.Queue(), asyncio.Queue(1)
    full.put_nowait(1)
    joined = asyncio.Queue()
    joined.put_nowait(1)
    future = asyncio.get_running_loop().create_future()

    async def notified():
        async with condition:
            await condition.wait()

    async def on_condition_lock():
        async with condition:
            await for_ever()

    async def sleeper():
        await asyncio.sleep(1000)

    async def until(lock):
        try:
            await asyncio.wait_for(lock.acquire(), 1000)
        finally:
            pass

    taken = asyncio.Lock()
    await taken.acquire()

    async def future_waiter():
        await future

    makers = {
        "condition": notified(),
        "condition-holder": on_condition_lock(),
        "event": event.wait(),
        "get": empty.get(),
        "put": full.put(2),
        "join": joined.join(),
        "sleep": sleeper(),
        "timed": until(taken),
        "future": future_waiter(),
    }
    return [spawn(make, name) for name, make in makers.items()]


@scenario
async def a_timeout_will_break_it():
    """A cycle of locks that ends by itself: no deadlock."""
    arrived = []
    second = spawn(transfer("bob", "alice", arrived), "patient")
    first = spawn(asyncio.wait_for(transfer("alice", "bob", arrived), 1000), "bounded")
    return [first, second]


@scenario
async def a_timer_will_cancel_it():
    arrived = []
    first = spawn(transfer("alice", "bob", arrived), "first")
    second = spawn(transfer("bob", "alice", arrived), "second")
    asyncio.get_running_loop().call_later(1000, second.cancel)
    return [first, second]


@scenario
async def a_shield_gives_up_and_cancels():
    arrived = []
    first = spawn(transfer("alice", "bob", arrived), "first")
    second = spawn(transfer("bob", "alice", arrived), "second")

    async def patience():
        try:
            await asyncio.wait_for(asyncio.shield(second), 1000)
        except asyncio.TimeoutError:
            second.cancel()

    return [spawn(patience(), "patience"), first, second]


try:
    import anyio
except ImportError:
    pass
else:

    @scenario
    async def a_scope_of_anyio_has_a_deadline():
        arrived = []

        async def main():
            with anyio.move_on_after(1000):
                async with anyio.create_task_group() as group:
                    group.start_soon(transfer, "alice", "bob", arrived, name="first")
                    group.start_soon(transfer, "bob", "alice", arrived, name="second")

        return [spawn(main(), "scope")]

    @scenario
    async def a_scope_of_anyio_has_none():
        arrived = []

        async def main():
            async with anyio.create_task_group() as group:
                group.start_soon(transfer, "alice", "bob", arrived, name="first")
                group.start_soon(transfer, "bob", "alice", arrived, name="second")

        return [spawn(main(), "scope")]


async def behind(lock):
    async with lock:
        pass


@scenario
async def released_by_a_helper():
    """Its own Condition: the lock is given back further in."""
    lock = asyncio.Lock()

    async def rest():
        lock.release()
        try:
            await for_ever()
        finally:
            await lock.acquire()

    async def owner():
        async with lock:
            await rest()

    async def next_owner():
        await lock.acquire()
        await asyncio.wait({spawn(behind(lock), "behind")})

    return [spawn(owner(), "owner"), spawn(next_owner(), "next-owner")]


@scenario
async def released_by_a_task_it_awaits():
    lock = asyncio.Lock()

    async def child():
        lock.release()
        await lock.acquire()
        await lock.acquire()

    async def lender():
        async with lock:
            await spawn(child(), "child")

    return [spawn(lender(), "lender")]


@scenario
async def released_by_a_generator_behind_a_manager():
    lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def unlocked():
        lock.release()
        try:
            yield
        finally:
            await lock.acquire()

    async def owner():
        async with lock, unlocked():
            await spawn(behind(lock), "behind")

    return [spawn(owner(), "owner")]


@scenario
async def a_child_of_two_gathers():
    """One gather collects exceptions, the other one may fail and let its waiter go on."""
    lock = asyncio.Lock()

    async def tick():
        await asyncio.sleep(1000)

    async def owner():
        async with lock:
            child = spawn(behind(lock), "behind")
            patient = asyncio.gather(child, return_exceptions=True)
            try:
                await asyncio.gather(child, spawn(tick(), "tick"))
            finally:
                patient.cancel()

    return [spawn(owner(), "owner")]


@scenario
async def a_guard_that_keeps_its_tasks_in_an_object():
    arrived = []

    class Guard:
        def __init__(self):
            self.tasks = []
            self.time = asyncio.Event()

        async def watch(self):
            await self.time.wait()
            for task in self.tasks:
                task.cancel()

    guard = Guard()
    guard.tasks += [
        spawn(transfer("alice", "bob", arrived), "first"),
        spawn(transfer("bob", "alice", arrived), "second"),
    ]
    asyncio.get_running_loop().call_later(1000, guard.time.set)
    return [spawn(guard.watch(), "guard"), *guard.tasks]


if hasattr(asyncio, "TaskGroup"):

    @scenario
    async def a_task_group_under_a_timeout():
        arrived = []

        async def main():
            async with asyncio.timeout(1000), asyncio.TaskGroup() as group:
                group.create_task(transfer("alice", "bob", arrived), name="first")
                group.create_task(transfer("bob", "alice", arrived), name="second")
                await for_ever()

        return [spawn(main(), "scope")]


@scenario
async def a_slow_holder():
    """Waits behind a holder that sleeps: no deadlock."""

    async def slow():
        async with GLOBAL:
            await asyncio.sleep(1000)

    async def behind():
        async with GLOBAL:
            pass

    return [spawn(slow(), "slow"), spawn(behind(), "behind"), spawn(behind(), "behind-2")]


def run(kind, make):
    """Run one scenario on a loop of that kind; gives loop, tasks and a way to end it."""
    if kind == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
        loop.set_debug(kind == "debug")
        loop.slow_callback_duration = 20  # a busy machine is not what is tested
        if kind == "eager":
            loop.set_task_factory(asyncio.eager_task_factory)
    ready = threading.Event()
    tasks = []

    async def main():
        tasks.extend(await make())
        for _ in range(20):  # turns in which all of them reach the place where they hang
            await asyncio.sleep(0)
        loop.call_soon(ready.set)  # when this task is suspended as well
        await asyncio.wait(tasks)

    def serve():
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(loop.create_task(main(), name="main"))
            while rest := asyncio.all_tasks(loop):
                end_all(loop)
                loop.run_until_complete(loop.create_task(asyncio.wait(rest), name="main"))
        finally:
            loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    if not ready.wait(20):
        raise TimeoutError(make.__name__)
    return loop, tasks, thread


def end_all(loop):
    for task in asyncio.all_tasks(loop):
        if task.get_name() != "main":
            end(task)


def end(task):
    from asyncconsole.act.cancel import Request, _deliver

    if not task.done():
        _deliver(Request(task, 0, ""))


def main():
    from asyncconsole.capture.program import Program
    from asyncconsole.capture.slices import finish
    from asyncconsole.diagnose import confirm

    kind = sys.argv[1]
    found = {}
    for name, make in SCENARIOS.items():
        program = Program()
        loop, tasks, thread = run(kind, make)
        program.loops.note(loop)
        first, second = finish(program.capture()), finish(program.capture())
        found[name] = {
            "snapshot": dataclasses.asdict(second),
            "findings": [dataclasses.asdict(item) for item in confirm(first, second).findings],
        }
        for _ in range(200):  # some take a lock again on their way out
            with contextlib.suppress(RuntimeError):  # it has closed
                loop.call_soon_threadsafe(end_all, loop)
            thread.join(0.1)
            if not thread.is_alive():
                break
        if thread.is_alive():
            raise TimeoutError(f"{name} does not end: {tasks}")
        # Locks that outlive a loop must start anew.
        for key in LOCKS:
            LOCKS[key] = asyncio.Lock()
    json.dump(found, sys.stdout, default=str)


if __name__ == "__main__":
    main()
