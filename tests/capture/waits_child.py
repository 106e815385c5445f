"""A program that waits in every way asyncio offers, and looks at itself from outside.

Runs in a child process on every interpreter: no pytest here, the syntax of Python 3.10.
Usage: python waits_child.py LOOP      (asyncio, debug, uvloop, eager, python)
Prints one JSON document: scenario to snapshot, findings and what the commands print.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from asyncconsole.capture import futures
from tests.capture.looking import Watch

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class World:
    """What a scenario may use."""

    def __init__(self, loop):
        self.loop = loop
        self.facts = {}
        self.children = []

    def spawn(self, coro, name):
        task = kept(self.loop.create_task(coro))
        if hasattr(task, "set_name"):
            task.set_name(name)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def thread(self, function, name):
        threading.Thread(target=function, name=name, daemon=True).start()

    async def until(self, condition):
        """Let the loop turn until that is true."""
        end = time.monotonic() + 20
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("the scenario never got there")
            await asyncio.sleep(0.001)


async def for_ever():
    await kept(asyncio.get_running_loop().create_future())


def kept(thing):
    """Keep it: a loop refers to its tasks weakly, and nothing else knows of these."""
    KEPT.append(thing)
    return thing


KEPT = []


# ---- await stacks


@types.coroutine
def by_generator(coro):
    yield from coro.__await__()


class Awaitable:
    """An object with an ``__await__`` that is a generator function."""

    def __init__(self, coro):
        self.coro = coro

    def __await__(self):
        yield from self.coro.__await__()


class Passing:
    """An object whose ``__await__`` hands out the iterator of something else."""

    def __init__(self, coro):
        self.coro = coro

    def __await__(self):
        return self.coro.__await__()


class Foreign:
    """An iterator of its own as the end of a stack."""

    def __init__(self, future):
        self.future = future

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        if self.future.done():
            raise StopIteration(self.future.result())
        self.future._asyncio_future_blocking = True
        return self.future

    def throw(self, *error):
        raise error[1] if len(error) > 1 and error[1] is not None else error[0]


class Steps:
    """What ``@types.coroutine`` wraps: an object with the methods of a generator."""

    def __init__(self, coro):
        self.inner = coro.__await__()

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.inner)

    def send(self, value):
        return self.inner.send(value)

    def throw(self, *error):
        return self.inner.throw(*error)

    def close(self):
        self.inner.close()


@scenario
async def stacks(world):
    async def rows():
        try:
            await for_ever()
            yield 1
        finally:
            pass

    async def thrown():
        try:
            yield 1
        except KeyError:
            await for_ever()
        yield 2

    async def two_steps(inner):
        async for value in inner:
            yield value

    async def plain():
        await for_ever()

    async def generator_based():
        await by_generator(plain())

    async def iterate():
        async for _ in two_steps(rows()):
            pass

    async def by_asend():
        await rows().asend(None)

    async def by_athrow():
        rows = thrown()
        await rows.asend(None)
        await rows.athrow(KeyError())

    async def by_aclose():
        async def slow_to_close():
            try:
                yield 1
            finally:
                await for_ever()

        rows = slow_to_close()
        await rows.asend(None)
        await rows.aclose()

    async def by_anext():
        await rows().__aiter__().__anext__()

    async def by_anext_default():
        await anext(rows(), None)

    async def by_awaitable():
        await Awaitable(plain())

    async def by_passing():
        await Passing(plain())

    async def by_foreign():
        await Foreign(kept(world.loop.create_future()))

    async def by_steps():
        @types.coroutine
        def step():
            return Steps(plain())

        await step()

    makers = [
        generator_based, iterate, by_asend, by_athrow, by_aclose, by_anext, by_anext_default,
        by_awaitable, by_passing, by_foreign, by_steps,
    ]  # fmt: skip
    for make in makers:
        world.spawn(make(), make.__name__)


@scenario
async def deep(world):
    """A chain of 5,000 coroutines, and one of 5,000 tasks."""

    async def level(left):
        if left:
            await level(left - 1)
        else:
            await for_ever()

    world.spawn(level(DEPTH), "deep")
    below = world.spawn(for_ever(), "bottom")

    async def follow(task):
        await task

    for index in range(DEPTH):
        below = world.spawn(follow(below), f"follow-{index}")
    await asyncio.sleep(0)


DEPTH = 5_000


@scenario
async def shared(world):
    """40 layers in which each of two awaits both of the next: 2^40 paths, 80 tasks."""
    layer = [world.spawn(for_ever(), f"0-{side}") for side in "ab"]

    async def both(tasks):
        await asyncio.gather(*tasks)

    for depth in range(1, 40):
        layer = [world.spawn(both(layer), f"{depth}-{side}") for side in "ab"]

    leaves = [world.spawn(for_ever(), f"leaf-{side}") for side in "ab"]
    futures = leaves
    for _ in range(40):
        futures = [
            asyncio.gather(*futures, return_exceptions=True),
            asyncio.gather(*futures, return_exceptions=True),
        ]

    async def top():
        await asyncio.gather(*futures, return_exceptions=True)

    world.spawn(top(), "nested")


# ---- groups of tasks


@scenario
async def groups(world):
    async def first(tasks):
        for one in asyncio.as_completed(tasks):
            await one

    async def in_time(tasks):
        for one in asyncio.as_completed(tasks, timeout=1000):
            await one

    async def apart(tasks):
        """The iterator is out of sight: who is waited for can't be told."""
        for one in asyncio.as_completed(tasks):
            await world.spawn(one, "apart-inner")

    ended = world.spawn(asyncio.sleep(0), "ended")
    children = [world.spawn(for_ever(), f"child-{index}") for index in range(3)]
    world.spawn(first([ended, *children]), "as_completed")
    world.spawn(in_time(children[:2]), "as_completed-timeout")
    world.spawn(apart(children[:1]), "apart")
    if sys.version_info >= (3, 13):

        async def asynchronously(tasks):
            async for _ in asyncio.as_completed(tasks):
                pass

        world.spawn(asynchronously([ended, *children]), "as_completed-async")

    async def shielded():
        await asyncio.shield(children[0])

    async def timed():
        await asyncio.wait_for(for_ever(), 1000)

    async def waits():
        await asyncio.wait(children, timeout=1000, return_when=asyncio.FIRST_COMPLETED)

    world.spawn(shielded(), "shield")
    world.spawn(timed(), "wait_for")
    world.spawn(waits(), "wait")
    if sys.version_info >= (3, 11):

        async def grouped():
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(0), name="group-ended")
                group.create_task(for_ever(), name="group-child")

        async def until():
            async with asyncio.timeout(1000):
                await for_ever()

        async def barrier(all_of_them):
            await all_of_them.wait()

        world.spawn(grouped(), "task_group")
        world.spawn(until(), "timeout")
        world.spawn(barrier(asyncio.Barrier(3)), "barrier")


# ---- threads


def work(gate):
    started.append(threading.current_thread().name)
    gate.wait(60)


started = []


@scenario
async def executors(world):
    started.clear()
    gate = threading.Event()
    pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="small")

    async def own(index):
        await world.loop.run_in_executor(pool, work, gate)

    async def to_thread():
        await asyncio.to_thread(work, gate)

    async def several():
        await asyncio.gather(*[world.loop.run_in_executor(pool, work, gate) for _ in range(2)])

    async def sleeps():
        await asyncio.to_thread(time.sleep, 0.5)

    world.spawn(own(0), "first")
    await world.until(lambda: len(started) == 1)
    world.spawn(own(1), "second")
    world.spawn(own(2), "third")
    await asyncio.sleep(0)
    world.spawn(several(), "several")
    world.spawn(to_thread(), "to_thread")
    await world.until(lambda: len(started) == 2)


@scenario
async def threadsafe(world):
    """A thread that waits for a task, and a job that waits for its own waiter's loop."""
    loop = world.loop
    release = kept(loop.create_future())

    async def asked():
        await release

    async def asked_too():
        await release

    def caller():
        with contextlib.suppress(concurrent.futures.CancelledError):
            asyncio.run_coroutine_threadsafe(asked(), loop).result()

    def job():
        with contextlib.suppress(concurrent.futures.CancelledError):
            asyncio.run_coroutine_threadsafe(asked_too(), loop).result(1000)

    async def reentrant():
        await asyncio.to_thread(job)

    world.thread(caller, "caller")
    world.spawn(reentrant(), "reentrant")
    await world.until(lambda: len(futures.callbacks(release)) == 2)


@scenario
async def other_loop(world):
    """A task that waits for a task of another thread's loop."""
    up = threading.Event()
    other = asyncio.new_event_loop()

    async def far():
        up.set()
        await for_ever()

    def serve():
        with contextlib.suppress(asyncio.CancelledError):
            other.run_forever()
        for task in asyncio.all_tasks(other):
            task.cancel()
        other.run_until_complete(asyncio.sleep(0.01))
        other.close()

    world.thread(serve, "other")

    async def near():
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(far(), other))

    world.spawn(near(), "near")
    await world.until(up.is_set)
    await asyncio.sleep(0.05)


# ---- streams, sockets, child processes


@scenario
async def streams(world):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    world.facts["port"] = listener.getsockname()[1]
    address = listener.getsockname()[:2]
    reader, _ = kept(await asyncio.open_connection(*address))
    peer, _ = kept(listener.accept())
    peer.sendall(b"half a line")

    async def readline():
        await reader.readline()

    _, out = kept(await asyncio.open_connection(*address))
    kept(listener.accept())

    async def drain():
        while True:
            out.write(b"x" * 1_000_000)
            await out.drain()

    one, _ = kept(socket.socketpair())
    one.setblocking(False)
    raw = socket.create_connection(address)
    raw.setblocking(False)
    kept(listener.accept())
    world.facts["raw"] = raw.fileno()

    async def receive():
        await world.loop.sock_recv(raw, 10)

    async def unnamed():
        await world.loop.sock_recv(one, 10)

    async def accept():
        await world.loop.sock_accept(listener)

    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    world.facts["server"] = server.sockets[0].getsockname()[1]

    async def serve():
        await server.serve_forever()

    world.spawn(readline(), "readline")
    world.spawn(drain(), "drain")
    world.spawn(receive(), "recv")
    world.spawn(unnamed(), "unnamed")
    world.spawn(accept(), "accept")
    world.spawn(serve(), "server")
    await world.until(lambda: len(reader._buffer) == 11)


@scenario
async def processes(world):
    def command(code):
        return [sys.executable, "-S", "-c", code]

    silent = await asyncio.create_subprocess_exec(
        *command("import sys; sys.stdin.read()"), stdin=asyncio.subprocess.PIPE
    )
    talking = await asyncio.create_subprocess_exec(
        *command("import sys; sys.stdin.read()"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    mute = await asyncio.create_subprocess_exec(
        *command("import time; time.sleep(60)"), stdout=asyncio.subprocess.PIPE
    )
    for process in (silent, talking, mute):
        world.children.append(process.pid)
    world.facts.update(silent=silent.pid, talking=talking.pid, mute=mute.pid)

    async def wait():
        await silent.wait()

    async def read():
        await talking.stdout.readline()

    async def communicate():
        await mute.communicate()

    world.spawn(wait(), "wait")
    world.spawn(read(), "read")
    world.spawn(communicate(), "communicate")


@scenario
async def timers(world):
    stop = asyncio.Event()
    world.loop.add_signal_handler(signal.SIGTERM, stop.set)

    async def sleeper():
        await asyncio.sleep(1000)

    async def until_told():
        await stop.wait()

    world.spawn(sleeper(), "sleep")
    world.spawn(until_told(), "signal")


@scenario
async def shutdown(world):
    """The end of ``asyncio.Runner``: threads of the default executor that do not end."""
    gate = threading.Event()
    started.clear()
    world.loop.run_in_executor(None, work, gate)
    await world.until(lambda: started)

    async def end():
        await world.loop.shutdown_default_executor()

    world.spawn(end(), "shutdown")


# ---- the driver


class NamedTask(asyncio.Task):
    """A subclass that has an opinion on everything; nobody may ask it."""

    def get_coro(self):
        raise AssertionError("get_coro was asked")

    def __repr__(self):
        raise AssertionError("repr was asked")

    def cancel(self, *args, **kwargs):
        return super().cancel(*args, **kwargs)


def factory(kind):
    made = asyncio.tasks._PyTask if kind == "python" else NamedTask

    def create(loop, coro, **options):
        options.pop("eager_start", None)
        return made(coro, loop=loop, **options)

    return create


def new_loop(kind):
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    loop = asyncio.new_event_loop()
    loop.set_debug(kind == "debug")
    loop.slow_callback_duration = 20
    if kind == "eager":
        loop.set_task_factory(asyncio.eager_task_factory)
    elif kind in {"python", "subclass"}:
        loop.set_task_factory(factory(kind))
    return loop


def run(name, kind, out):
    """Run one scenario on a loop of that kind in this thread, look at it, and leave."""
    loop = new_loop(kind)
    asyncio.set_event_loop(loop)
    world = World(loop)
    watch = Watch(loop)

    def leave():
        try:
            found = json.dumps({**watch.result, "facts": world.facts}, default=str)
            Path(out).write_text(found)
            for pid in world.children:
                os.kill(pid, signal.SIGKILL)
        finally:
            os._exit(0)

    async def scene():
        await SCENARIOS[name](world)
        for _ in range(20):  # turns in which all of them reach the place where they hang
            await asyncio.sleep(0)
        loop.call_soon(watch.start, COMMANDS, leave)
        await for_ever()

    loop.run_until_complete(world.spawn(scene(), "main"))


def main():
    kind, folder, *wanted = sys.argv[1:]
    sys.setrecursionlimit(50_000)
    for name in wanted or SCENARIOS:
        pid = os.fork()  # nothing of one scenario is left for the next one
        if not pid:
            signal.alarm(60)
            out = Path(folder, f"{name}.json")
            if name == "deep":  # needs a large stack; signals want the main thread
                threading.stack_size(512 * 1024 * 1024)
                threading.Thread(target=run, args=(name, kind, out)).start()
                signal.pause()
            run(name, kind, out)
        os.waitpid(pid, 0)


COMMANDS = ("ps", "tree", "stacktrace", "where")

if __name__ == "__main__":
    main()
