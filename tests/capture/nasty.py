# ruff: noqa: SIM117, TRY301, B018, PIE804 - odd code is what this is about
"""Programs that make it hard to say who holds what; each tells the truth about itself.

Runs on every interpreter, in a child process, and prints what was said of each program.

Usage: python nasty.py KIND [MUTANT [PROGRAM…]]    (KIND: asyncio, debug, eager, uvloop)
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import gc
import json
import os
import random
import sys
import textwrap
import threading

from asyncconsole.act.cycle import in_await_cycle
from asyncconsole.capture import look as capturing
from asyncconsole.capture.program import Program
from asyncconsole.capture.slices import finish
from asyncconsole.diagnose import verdict
from tests.capture import mutants

PROGRAMS = {}
KEPT = []
TURNS = 30
SLICED = 300
"""Captures in slices of a program that goes on."""
PATIENT = 20_000
"""The same where the prover is broken: until it has shown itself."""
MUTANT = []


class Stage:
    """What a program says of itself.

    Attributes:
        holders: By primitive: names of the tasks that have it.
        stuck: Names of the tasks that can never move again.
        slices: It goes on while it is captured.
        assumed: A verdict may err here; what it says that it assumes does not hold.
    """

    def __init__(self):
        self.tasks = []
        self.holders = []
        self.stuck = set()
        self.assumed = False
        self.slices = False

    def spawn(self, coro, name):
        task = asyncio.get_running_loop().create_task(coro, name=name)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.tasks.append(task)
        return task

    def held(self, thing, *names):
        self.holders.append((thing, sorted(names)))

    def never(self, *names):
        self.stuck.update(names)


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def since(*version):
    """A program whose Python has to be that new."""
    return program if sys.version_info >= version else lambda function: function


async def for_ever():
    await asyncio.Event().wait()


async def waits(lock):
    async with lock:
        pass


async def keeps(lock):
    async with lock:
        await for_ever()


# Locks that are given back by others


@program
async def released_by_another_task(stage):
    lock = asyncio.Lock()

    async def owner():
        async with lock:
            await for_ever()

    async def thief():
        lock.release()
        await for_ever()

    stage.spawn(owner(), "owner")
    await asyncio.sleep(0)
    stage.spawn(thief(), "thief")
    stage.held(lock)


@program
async def released_by_another_task_and_taken_by_a_third(stage):
    lock = asyncio.Lock()

    async def thief():
        lock.release()
        await for_ever()

    stage.spawn(keeps(lock), "owner")
    await asyncio.sleep(0)
    stage.spawn(thief(), "thief")
    await asyncio.sleep(0)
    stage.spawn(keeps(lock), "next")
    stage.held(lock, "next")


@program
async def a_thief_who_is_gone(stage):
    """Nothing on any stack tells of the release; two exits of one lock are in force."""
    lock = asyncio.Lock()

    async def steal():
        lock.release()

    stage.spawn(keeps(lock), "owner")
    await asyncio.sleep(0)
    await stage.spawn(steal(), "thief")
    stage.spawn(keeps(lock), "next")
    stage.held(lock, "next")


@program
async def released_by_a_callback_in_time(stage):
    """A cycle that a timer breaks by giving a lock back: no deadlock."""
    first, second = asyncio.Lock(), asyncio.Lock()

    async def cross(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    stage.spawn(cross(first, second), "a")
    stage.spawn(cross(second, first), "b")
    asyncio.get_running_loop().call_later(1000, first.release)
    stage.held(first, "a")
    stage.held(second, "b")


@program
async def a_watchdog_that_releases(stage):
    first, second = asyncio.Lock(), asyncio.Lock()

    async def cross(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    async def watchdog():
        await asyncio.sleep(100)
        first.release()

    stage.spawn(cross(first, second), "a")
    stage.spawn(cross(second, first), "b")
    stage.spawn(watchdog(), "watchdog")
    stage.held(first, "a")
    stage.held(second, "b")


@program
async def a_lock_as_a_signal(stage):
    """Taken twice by one task; another one will give it back."""
    lock = asyncio.Lock()

    async def waiter():
        await lock.acquire()
        await lock.acquire()

    async def signaller():
        await asyncio.sleep(1000)
        lock.release()

    stage.spawn(waiter(), "waiter")
    stage.spawn(signaller(), "signaller")
    stage.held(lock, "waiter")


@program
async def a_lock_of_a_task_that_has_ended(stage):
    lock = asyncio.Lock()

    async def leaker():
        await lock.acquire()

    await stage.spawn(leaker(), "leaker")
    stage.spawn(waits(lock), "waiter")
    stage.held(lock)


@program
async def two_way_handover(stage):
    """Each gives back the lock that the other one took: nobody is stuck."""
    first, second = asyncio.Lock(), asyncio.Lock()

    async def cross(one, other):
        await one.acquire()
        await asyncio.sleep(0)
        await asyncio.sleep(1000)
        other.release()

    stage.spawn(cross(first, second), "a")
    stage.spawn(cross(second, first), "b")
    stage.held(first, "a")
    stage.held(second, "b")


# Semaphores


@program
async def released_more_often_than_acquired(stage):
    gate = asyncio.Semaphore(1)
    gate.release()

    async def nested():
        async with gate:
            async with gate:
                await for_ever()

    stage.spawn(nested(), "nested")
    stage.held(gate, "nested", "nested")


@program
async def a_semaphore_that_grows(stage):
    """All its permits are with tasks that wait for one more; a timer adds some."""
    gate = asyncio.Semaphore(2)

    async def nested():
        async with gate:
            await asyncio.sleep(0)
            async with gate:
                pass

    stage.spawn(nested(), "a")
    stage.spawn(nested(), "b")
    asyncio.get_running_loop().call_later(1000, gate.release)
    stage.held(gate, "a", "b")


@program
async def a_semaphore_that_began_at_nought(stage):
    gate = asyncio.Semaphore(0)

    async def worker():
        async with gate:
            pass

    stage.spawn(worker(), "worker")
    stage.held(gate)


@program
async def a_bounded_semaphore_released_by_a_thief(stage):
    gate = asyncio.BoundedSemaphore(2)

    async def steal():
        gate.release()

    stage.spawn(keeps(gate), "a")
    stage.spawn(keeps(gate), "b")
    await asyncio.sleep(0)
    await stage.spawn(steal(), "thief")
    stage.spawn(keeps(gate), "c")


# Classes of their own


class Counting(asyncio.Lock):
    async def acquire(self):
        self.times = getattr(self, "times", 0) + 1
        if self.times > 1:
            return True
        return await super().acquire()


@program
async def a_subclass_that_overrides_acquire(stage):
    lock = Counting()

    async def again():
        async with lock:
            async with lock:
                await for_ever()

    stage.spawn(again(), "again")
    stage.held(lock, "again")


class Quiet(asyncio.Lock):
    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


@program
async def a_subclass_whose_exit_does_nothing(stage):
    lock = Quiet()
    stage.spawn(keeps(lock), "inside")
    stage.held(lock)


@program
async def a_subclass_that_takes_only_later(stage):
    """Its ``async with`` holds nothing; the lock is with somebody else."""
    lock = Quiet()

    async def owner():
        await lock.acquire()
        await for_ever()

    stage.spawn(owner(), "owner")
    stage.spawn(keeps(lock), "inside")
    stage.held(lock, "owner")


@program
async def an_exit_patched_on_the_instance(stage):
    """The interpreter looks at the class: this patch has no effect."""
    lock = asyncio.Lock()

    async def nothing(*_):
        return None

    lock.__aexit__ = nothing
    stage.spawn(keeps(lock), "owner")
    stage.held(lock, "owner")


@program
async def a_release_patched_on_the_instance(stage):
    """Its acquire never waits: nobody is stuck for long."""
    lock = asyncio.Lock()
    plain = lock.acquire

    async def acquire():
        await asyncio.sleep(1000)
        return True

    async def owner():
        async with lock:
            lock.acquire = acquire
            async with lock:
                pass

    stage.spawn(owner(), "owner")
    stage.held(lock, "owner")
    KEPT.append(plain)


class Reentrant:
    """A wrapper that lets its owner in again."""

    def __init__(self):
        self._lock = asyncio.Lock()
        self._owner = None
        self._depth = 0

    async def __aenter__(self):
        if self._owner is not asyncio.current_task():
            await self._lock.acquire()
            self._owner = asyncio.current_task()
        self._depth += 1

    async def __aexit__(self, *_):
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._lock.release()


@program
async def a_reentrant_wrapper(stage):
    lock = Reentrant()

    async def again():
        async with lock:
            async with lock:
                await for_ever()

    stage.spawn(again(), "again")
    stage.spawn(waits(lock), "waiter")
    stage.held(lock._lock, "again")


class Shared:
    """Many readers behind one lock: the first takes it, the last gives it back."""

    def __init__(self):
        self._lock = asyncio.Lock()
        self._readers = 0

    async def __aenter__(self):
        self._readers += 1
        if self._readers == 1:
            await self._lock.acquire()

    async def __aexit__(self, *_):
        self._readers -= 1
        if not self._readers:
            self._lock.release()


@program
async def a_lock_of_many_readers(stage):
    lock = Shared()

    async def reader():
        async with lock:
            await for_ever()

    stage.spawn(reader(), "first")
    stage.spawn(reader(), "second")
    stage.held(lock._lock, "first")


class Lending:
    """A manager that gives a lock back while it is entered."""

    def __init__(self, lock):
        self.lock = lock

    async def __aenter__(self):
        self.lock.release()

    async def __aexit__(self, *_):
        await self.lock.acquire()


@program
async def a_manager_that_unlocks(stage):
    lock = asyncio.Lock()

    async def owner():
        async with lock, Lending(lock):
            await for_ever()

    stage.spawn(owner(), "owner")
    stage.held(lock)


@program
async def a_manager_that_unlocks_while_another_has_it(stage):
    lock = asyncio.Lock()

    async def owner():
        async with lock, Lending(lock):
            await for_ever()

    stage.spawn(owner(), "owner")
    await asyncio.sleep(0)
    stage.spawn(keeps(lock), "guest")
    stage.held(lock, "guest")


class Base:
    def __init__(self, lock):
        self.lock = lock

    async def __aenter__(self):
        await self.lock.__aenter__()
        return self

    async def __aexit__(self, *details):
        return await self.lock.__aexit__(*details)


class Derived(Base):
    async def __aenter__(self):
        return await super().__aenter__()


@program
async def an_inherited_manager(stage):
    lock = asyncio.Lock()
    stage.spawn(keeps(Derived(lock)), "owner")
    stage.held(lock, "owner")


@program
async def two_managers_for_one_lock(stage):
    """The second one waits for what the first one has."""
    lock = asyncio.Lock()

    async def twice():
        async with Base(lock):
            async with Base(lock):
                pass

    stage.spawn(twice(), "twice")
    stage.held(lock, "twice")
    stage.never("twice")


# Conditions


@program
async def two_conditions_with_one_lock(stage):
    lock = asyncio.Lock()
    first, second = asyncio.Condition(lock), asyncio.Condition(lock)

    async def waiter(condition):
        async with condition:
            await condition.wait()

    stage.spawn(waiter(first), "on first")
    stage.spawn(waiter(second), "on second")
    await asyncio.sleep(0)
    stage.spawn(keeps(first), "inside")
    stage.held(lock, "inside")


@program
async def a_condition_waited_for_under_its_plain_lock(stage):
    lock = asyncio.Lock()
    condition = asyncio.Condition(lock)

    async def waiter():
        async with lock:
            await condition.wait_for(lambda: False)

    stage.spawn(waiter(), "waiter")
    await asyncio.sleep(0)
    stage.spawn(keeps(lock), "inside")
    stage.held(lock, "inside")


@program
async def a_child_waits_on_its_parents_condition(stage):
    """The child's wait gives back what the parent entered."""
    condition = asyncio.Condition()

    async def parent():
        async with condition:
            await stage.spawn(condition.wait(), "child")

    stage.spawn(parent(), "parent")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    stage.spawn(keeps(condition), "inside")
    stage.held(condition._lock, "inside")


@program
async def a_holder_that_awaits_one_in_a_wait_of_the_same_lock(stage):
    """The waiter gave back its own hold: the awaiter's, taken since, stands."""
    condition = asyncio.Condition()

    async def waiter():
        async with condition:
            await condition.wait()

    async def holder(task):
        async with condition:
            await asyncio.wait([task])

    task = stage.spawn(waiter(), "waiter")
    await asyncio.sleep(0)
    stage.spawn(holder(task), "holder")
    stage.held(condition._lock, "holder")


@program
async def a_notified_one_and_one_who_has_it(stage):
    condition = asyncio.Condition()

    async def waiter():
        async with condition:
            await condition.wait()
            await for_ever()

    async def notifier():
        async with condition:
            condition.notify_all()
            await for_ever()

    stage.spawn(waiter(), "waiter")
    await asyncio.sleep(0)
    stage.spawn(notifier(), "notifier")
    stage.held(condition._lock, "notifier")


class Loud(asyncio.Condition):
    async def wait(self):
        await asyncio.sleep(0)
        return await super().wait()


@program
async def a_condition_with_a_wait_of_its_own(stage):
    condition = Loud()

    async def waiter():
        async with condition:
            await condition.wait()

    stage.spawn(waiter(), "waiter")
    for _ in range(4):
        await asyncio.sleep(0)
    stage.spawn(keeps(condition), "inside")
    stage.held(condition._lock, "inside")


# Generators


async def rows(lock):
    async with lock:
        yield 1
        yield 2


@program
async def a_generator_that_was_left(stage):
    """Somebody still keeps it: nobody closes it, and the lock stays locked."""
    lock = asyncio.Lock()
    kept = rows(lock)
    KEPT.append(kept)

    async def leaver():
        async for _ in kept:
            break
        await for_ever()

    stage.spawn(leaver(), "leaver")
    stage.held(lock)


@program
async def a_generator_begun_by_one_and_continued_by_another(stage):
    lock = asyncio.Lock()
    shared = rows(lock)

    async def first():
        await shared.__anext__()
        await for_ever()

    async def second():
        async for _ in shared:
            await for_ever()

    stage.spawn(first(), "first")
    await asyncio.sleep(0)
    stage.spawn(second(), "second")
    stage.held(lock, "second")


@program
async def a_generator_that_one_iterates_and_another_only_knows(stage):
    lock = asyncio.Lock()
    shared = rows(lock)

    async def first():
        async for _ in shared:
            await for_ever()

    async def second(known):
        await for_ever()
        return known

    stage.spawn(first(), "first")
    stage.spawn(second(shared), "second")
    stage.held(lock, "first")


@program
async def a_sync_generator_with_a_thread_lock(stage):
    lock = threading.Lock()

    def numbers():
        with lock:
            yield 1
            yield 2

    async def owner():
        for _ in numbers():
            await for_ever()

    stage.spawn(owner(), "owner")
    stage.held(lock, "owner")


@program
async def a_generator_closed_in_the_middle(stage):
    lock = asyncio.Lock()

    async def owner():
        generator = rows(lock)
        await generator.__anext__()
        await generator.aclose()
        await for_ever()

    stage.spawn(owner(), "owner")
    stage.spawn(keeps(lock), "next")
    stage.held(lock, "next")


# Exceptions and cancellation


class Failing:
    """Takes a lock on its way in and fails."""

    def __init__(self, lock):
        self.lock = lock

    async def __aenter__(self):
        async with self.lock:
            await asyncio.sleep(0)
            raise ValueError

    async def __aexit__(self, *_):
        pass


@program
async def an_entry_that_fails(stage):
    lock = asyncio.Lock()

    async def victim():
        try:
            async with Failing(lock):
                pass
        except ValueError:
            await for_ever()

    stage.spawn(victim(), "victim")
    stage.held(lock)


@program
async def cancelled_while_it_waits(stage):
    """It caught the cancellation inside the entry's ``try`` and holds nothing."""
    lock = asyncio.Lock()

    async def victim():
        try:
            async with lock:
                pass
        except asyncio.CancelledError:
            await for_ever()

    stage.spawn(keeps(lock), "owner")
    task = stage.spawn(victim(), "victim")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    stage.held(lock, "owner")


@program
async def cancelled_and_still_in_the_body(stage):
    lock = asyncio.Lock()

    async def stubborn():
        async with lock:
            try:
                await for_ever()
            except asyncio.CancelledError:
                await for_ever()

    task = stage.spawn(stubborn(), "stubborn")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    stage.held(lock, "stubborn")


@program
async def suspended_on_its_way_out(stage):
    """The inner lock has been given back, the outer one has not."""
    outer, inner = asyncio.Lock(), asyncio.Lock()

    class Slow:
        async def __aenter__(self):
            pass

        async def __aexit__(self, *_):
            await for_ever()

    async def leaver():
        async with outer, Slow():
            async with inner:
                raise ValueError

    stage.spawn(leaver(), "leaver")
    stage.spawn(keeps(inner), "next")
    stage.held(outer, "leaver")
    stage.held(inner, "next")


@program
async def a_lock_in_finally(stage):
    lock = asyncio.Lock()

    async def owner():
        try:
            raise ValueError
        except ValueError:
            try:
                1 / 0
            except ZeroDivisionError:
                pass
            finally:
                async with lock:
                    await for_ever()

    stage.spawn(owner(), "owner")
    stage.held(lock, "owner")


@program
async def a_finally_that_runs_while_the_lock_is_left(stage):
    lock = asyncio.Lock()

    async def owner():
        async with lock:
            try:
                return 1
            finally:
                await for_ever()

    stage.spawn(owner(), "owner")
    stage.held(lock, "owner")


# Loops, threads, eager tasks


@program
async def a_lock_held_on_another_loop(stage):
    """A task of a loop in another thread has it."""
    lock = asyncio.Lock()
    ready = threading.Event()

    async def elsewhere():
        async with lock:
            ready.set()
            await for_ever()

    def serve():
        loop = asyncio.new_event_loop()
        KEPT.append(loop)
        task = loop.create_task(elsewhere(), name="elsewhere")
        KEPT.append(task)
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    threading.Thread(target=serve, daemon=True).start()
    await asyncio.get_running_loop().run_in_executor(None, ready.wait)
    stage.held(lock, "elsewhere")


@program
async def held_by_a_task_of_a_closed_loop(stage):
    """Its task will never run again; whether it still holds the lock, nobody can say."""
    lock = asyncio.Lock()

    def serve():
        loop = asyncio.new_event_loop()
        task = loop.create_task(keeps(lock), name="dead")
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(asyncio.sleep(0))
        KEPT.extend([task, loop])
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    await asyncio.get_running_loop().run_in_executor(None, thread.join)

    async def waiter():
        await asyncio.wait([stage.spawn(waits(lock), "waiter")])

    stage.spawn(waiter(), "main")
    stage.held(lock, "dead")


@since(3, 12)
async def eager_tasks_that_block_at_once(stage):
    lock = asyncio.Lock()
    loop = asyncio.get_running_loop()

    async def parent():
        async with lock:
            child = asyncio.Task(waits(lock), loop=loop, name="child", eager_start=True)
            stage.tasks.append(child)
            await child

    stage.spawn(parent(), "parent")
    stage.held(lock, "parent")
    stage.never("parent", "child")


CONTEXT = contextvars.ContextVar("CONTEXT")


@program
async def a_lock_in_a_context_variable(stage):
    lock = asyncio.Lock()
    CONTEXT.set(lock)

    async def inner():
        async with CONTEXT.get():
            await for_ever()

    stage.spawn(inner(), "owner")
    stage.spawn(waits(lock), "waiter")
    stage.held(lock, "owner")


# Syntax


@program
async def comprehensions_match_and_await_in_calls(stage):
    lock, other = asyncio.Lock(), asyncio.Lock()

    async def number(value):
        return value

    async def forever(*_args, **_kwargs):
        await for_ever()

    async def owner():
        async with lock:
            values = [await number(x) async for x in numbers() if await number(x)]
            match values:
                case [first, *_]:
                    print(*[await number(first)], await forever(other.__aexit__, **{"k": other}))

    async def numbers():
        for value in (1, 2):
            yield value

    stage.spawn(owner(), "owner")
    stage.held(lock, "owner")
    stage.held(other)


@program
async def twenty_levels_deep(stage):
    """20 blocks are the most that 3.10 can nest, and the parser anywhere."""
    locks = [asyncio.Lock() for _ in range(18)]
    body = "await for_ever()"
    for index in reversed(range(len(locks))):
        body = f"async with locks[{index}]:\n{textwrap.indent(body, ' ')}"
    space = {"locks": locks, "for_ever": for_ever}
    exec("async def owner():\n" + textwrap.indent(body, " "), space)
    stage.spawn(space["owner"](), "owner")
    for lock in locks:
        stage.held(lock, "owner")


@program
async def forty_helpers_deep(stage):
    locks = [asyncio.Lock() for _ in range(40)]

    async def go(index):
        if index == len(locks):
            await for_ever()
        async with locks[index]:
            await go(index + 1)

    stage.spawn(go(0), "owner")
    for lock in locks:
        stage.held(lock, "owner")


@since(3, 11)
async def exception_groups(stage):
    lock, inner = asyncio.Lock(), asyncio.Lock()
    space = {"lock": lock, "inner": inner, "for_ever": for_ever}
    source = """
    async def owner():
        async with lock:
            try:
                async with inner:
                    raise ExceptionGroup("both", [ValueError(), KeyError()])
            except* ValueError:
                await for_ever()
            except* KeyError:
                pass
    """
    exec(textwrap.dedent(source), space)
    stage.spawn(space["owner"](), "owner")
    stage.held(lock, "owner")
    stage.held(inner)


def locked(function):
    """A decorator that takes the object's lock around a method."""

    @functools.wraps(function)
    async def inside(self, *args):
        async with self.lock:
            return await function(self, *args)

    return inside


class Service:
    def __init__(self):
        self.lock = asyncio.Lock()

    @locked
    async def outer(self):
        await self.again()

    @locked
    async def again(self):
        pass

    @locked
    async def long(self, *_):
        await for_ever()


@program
async def a_decorator_that_locks(stage):
    service = Service()
    stage.spawn(functools.partial(service.long, 1, 2)(), "owner")
    stage.spawn(service.again(), "waiter")
    stage.held(service.lock, "owner")


@program
async def a_decorator_that_locks_twice(stage):
    service = Service()
    stage.spawn(service.outer(), "again")
    stage.held(service.lock, "again")
    stage.never("again")


@program
async def a_stack_that_was_emptied(stage):
    """``pop_all`` moves the exits; who keeps the new stack has the lock."""
    lock = asyncio.Lock()

    async def owner():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(lock)
            KEPT.append(stack.pop_all())
            await for_ever()

    stage.spawn(owner(), "owner")
    stage.held(lock)


@program
async def a_stack_with_a_pushed_exit(stage):
    """An exit that was pushed without an entry: the lock is another's."""
    lock = asyncio.Lock()

    async def owner():
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_exit(lock)
            await for_ever()

    stage.spawn(keeps(lock), "holder")
    await asyncio.sleep(0)
    stage.spawn(owner(), "owner")
    stage.held(lock, "holder")


@program
async def a_stack_with_a_pushed_exit_alone(stage):
    lock = asyncio.Lock()

    async def leaker():
        await lock.acquire()

    async def owner():
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_exit(lock)
            await for_ever()

    await stage.spawn(leaker(), "leaker")
    stage.spawn(owner(), "owner")
    stage.held(lock, "owner")


@program
async def entered_by_hand(stage):
    lock = asyncio.Lock()

    async def owner():
        await lock.__aenter__()
        try:
            await for_ever()
        finally:
            await lock.__aexit__(None, None, None)

    stage.spawn(owner(), "owner")
    stage.held(lock, "owner")


@program
async def a_delegate_that_is_exchanged(stage):
    """The attribute names another lock than the one that was taken."""
    taken, shown = asyncio.Lock(), asyncio.Lock()

    async def owner(self):
        async with self.lock:
            self.lock = shown
            await for_ever()

    self = Base(taken)
    stage.spawn(owner(self), "owner")
    stage.spawn(keeps(shown), "other")
    stage.held(taken, "owner")
    stage.held(shown, "other")


@program
async def a_wrapped_lock_that_is_exchanged(stage):
    """The manager's own attribute names another lock meanwhile."""
    taken, shown = asyncio.Lock(), asyncio.Lock()
    manager = Base(taken)

    async def owner():
        async with manager:
            manager.lock = shown
            await for_ever()

    stage.spawn(owner(), "owner")
    await asyncio.sleep(0)
    await shown.acquire()
    stage.held(taken, "owner")


# Waits that look like cycles


@since(3, 11)
async def a_sibling_that_fails_later(stage):
    """A TaskGroup will cancel the two: no proof."""
    first, second = asyncio.Lock(), asyncio.Lock()

    async def cross(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    async def fails():
        await asyncio.sleep(1000)
        raise ValueError

    async def parent():
        async with asyncio.TaskGroup() as group:
            stage.tasks += [
                group.create_task(cross(first, second), name="a"),
                group.create_task(cross(second, first), name="b"),
                group.create_task(fails(), name="fails"),
            ]

    stage.spawn(parent(), "parent")
    stage.held(first, "a")
    stage.held(second, "b")


@since(3, 11)
async def a_parent_that_fails_later(stage):
    """The body of the TaskGroup goes on, and may fail."""
    first, second = asyncio.Lock(), asyncio.Lock()

    async def cross(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    async def parent():
        async with asyncio.TaskGroup() as group:
            stage.tasks += [
                group.create_task(cross(first, second), name="a"),
                group.create_task(cross(second, first), name="b"),
            ]
            await asyncio.sleep(1000)
            raise ValueError

    stage.spawn(parent(), "parent")
    stage.held(first, "a")
    stage.held(second, "b")


@since(3, 11)
async def a_heartbeat_beside_a_deadlock(stage):
    """It beats for ever and never fails: the two are stuck."""
    first, second = asyncio.Lock(), asyncio.Lock()

    async def cross(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    async def beat():
        while True:
            await asyncio.sleep(0.01)

    async def parent():
        async with asyncio.TaskGroup() as group:
            stage.tasks += [
                group.create_task(cross(first, second), name="a"),
                group.create_task(cross(second, first), name="b"),
                group.create_task(beat(), name="beat"),
            ]

    stage.spawn(parent(), "parent")
    stage.held(first, "a")
    stage.held(second, "b")
    stage.never("a", "b")


@program
async def a_timeout_in_a_thread(stage):
    """Another thread will cancel one of them."""
    first, second = asyncio.Lock(), asyncio.Lock()
    loop = asyncio.get_running_loop()

    async def cross(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    task = stage.spawn(cross(first, second), "a")
    stage.spawn(cross(second, first), "b")
    timer = threading.Timer(1000, loop.call_soon_threadsafe, [task.cancel])
    timer.daemon = True
    timer.start()
    stage.assumed = True
    stage.held(first, "a")
    stage.held(second, "b")


# What a broken prover would take for a deadlock


@program
async def a_permit_taken_by_acquire(stage):
    """One permit's holder can't be proved, and it will give it back."""
    gate = asyncio.BoundedSemaphore(2)

    async def nested():
        async with gate:
            await asyncio.sleep(0)
            async with gate:
                pass

    async def other():
        await gate.acquire()
        try:
            await asyncio.sleep(1000)
        finally:
            gate.release()

    stage.spawn(other(), "other")
    stage.spawn(nested(), "nested")
    stage.held(gate, "nested", "other")


@program
async def lent_and_wanted_back(stage):
    """The exit in force is of a lock that was given back, and that another task has."""
    lock = asyncio.Lock()

    async def rest():
        lock.release()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await stage.spawn(waits(lock), "behind")
        await lock.acquire()

    async def owner():
        async with lock:
            await rest()

    async def other():
        await lock.acquire()
        try:
            await asyncio.sleep(1000)
        finally:
            lock.release()

    stage.spawn(owner(), "owner")
    stage.spawn(other(), "other")
    stage.held(lock, "other")


@program
async def a_gather_whose_other_child_fails(stage):
    lock = asyncio.Lock()

    async def fails():
        await asyncio.sleep(1000)
        raise ValueError

    async def owner():
        async with lock:
            await asyncio.gather(stage.spawn(waits(lock), "behind"), fails())

    stage.spawn(owner(), "owner")
    stage.held(lock, "owner")


@program
async def the_first_of_two_is_enough(stage):
    lock = asyncio.Lock()

    async def owner():
        async with lock:
            both = [
                stage.spawn(waits(lock), "behind"),
                stage.spawn(asyncio.sleep(1000), "sleeper"),
            ]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)

    stage.spawn(owner(), "owner")
    stage.held(lock, "owner")


@program
async def a_timeout_further_out(stage):
    first, second = asyncio.Lock(), asyncio.Lock()

    async def cross(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    async def patience():
        await asyncio.wait_for(cross(first, second), 1000)

    stage.spawn(patience(), "a")
    stage.spawn(cross(second, first), "b")
    stage.held(second, "b")


@program
async def a_condition_whose_lock_was_taken_by_acquire(stage):
    condition = asyncio.Condition()

    async def waiter():
        async with condition:
            await condition.wait()

    async def leaker():
        await condition._lock.acquire()

    stage.spawn(waiter(), "waiter")
    await asyncio.sleep(0)
    await stage.spawn(leaker(), "leaker")
    stage.held(condition._lock)


@program
async def a_watchdog_that_cancels(stage):
    first, second = asyncio.Lock(), asyncio.Lock()

    async def cross(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    async def watchdog(task):
        await asyncio.sleep(100)
        task.cancel()

    stage.spawn(watchdog(stage.spawn(cross(first, second), "a")), "watchdog")
    stage.spawn(cross(second, first), "b")
    stage.held(first, "a")
    stage.held(second, "b")


@program
async def two_that_never_meet(stage):
    """Each waits for the other's lock, but at different moments."""
    first, second = asyncio.Lock(), asyncio.Lock()
    stage.slices = True

    async def cross(one, other, mine):
        while True:
            while turn[0] is not mine:
                async with one:  # only for a moment
                    await asyncio.sleep(0)
            for _ in range(3):
                async with one:
                    await asyncio.sleep(0)
                    async with other:
                        await asyncio.sleep(0)
            turn[0] = not mine

    turn = [True]
    stage.spawn(cross(first, second, True), "a")
    stage.spawn(cross(second, first, False), "b")


async def play(make, found):
    stage = Stage()
    await make(stage)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    gc.collect()
    program = Program()
    first = finish(program.capture())
    await asyncio.sleep(0)
    second = finish(program.capture())
    findings = list(verdict.confirm(first, second).findings)
    for pauses in range((PATIENT if MUTANT else SLICED) * stage.slices):
        if MUTANT and findings:
            break
        chance = random.Random(pauses)
        first = await in_slices(program, chance)
        second = await in_slices(program, chance)
        findings += verdict.confirm(first, second).findings
    names = {task.id: task.name for task in second.tasks}
    items = {item.id: item for item in second.resources}
    for thing, truth in stage.holders:
        item = items.get(f"L{program.things.known(thing)}")
        shown = item.holders if item is not None else ()
        found["holders"].append(
            {
                "truth": truth,
                "shown": sorted(holder.name for holder in shown),
                "certain": sorted(holder.name for holder in shown if holder.certain),
                "accounted": item is not None and item.accounted,
                "how": sorted(holder.how for holder in shown),
            }
        )
    mine = {program.tasks.known(task) for task in stage.tasks}
    found["assumed"] = stage.assumed
    found["stuck"] = sorted(stage.stuck)
    found["findings"] = [
        {
            "verdict": item.verdict,
            "kind": item.kind,
            "assumes": item.assumes,
            "stuck": sorted(names.get(role.id, "?") for role in item.tasks),
        }
        for item in findings
        if mine.intersection(role.id for role in item.tasks)
    ]
    found["gaps"] = [gap.why for gap in second.gaps if "runs now" not in gap.why]
    KEPT.append(stage)
    await end(stage.tasks)


async def in_slices(program, chance):
    """A capture during which the program goes on."""
    steps = program.capture()
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            return finished.value
        for _ in range(chance.randrange(25)):
            await asyncio.sleep(0)


async def end(tasks):
    for _ in range(20):
        for task in tasks:
            if (
                not task.done()
                and task.get_loop() is asyncio.get_running_loop()
                and not in_await_cycle(task)
            ):
                task.cancel()
        await asyncio.sleep(0)


def main(kind, mutant="", *names):
    if mutant:
        mutants.apply(mutant)
        MUTANT.append(mutant)
    capturing.SLICE = 1
    found = {}
    for name, make in PROGRAMS.items():
        if names and name not in names:
            continue
        found[name] = {"holders": []}
        if kind == "uvloop":
            import uvloop

            loop = uvloop.new_event_loop()
        else:
            loop = asyncio.new_event_loop()
            loop.set_debug(kind == "debug")
            loop.slow_callback_duration = 100
            if kind == "eager":
                loop.set_task_factory(asyncio.eager_task_factory)
        loop.set_exception_handler(lambda *_: None)
        KEPT.append(loop)
        loop.run_until_complete(play(make, found[name]))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)
