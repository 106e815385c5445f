"""Healthy services in which nearly every task waits; runs in the child.

Nothing here calls ``release()``: what the program's code says of who gives a lock back is nothing.

Usage: services.py NAME. Prints the console's port once all of it stands still or goes round.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time

import asyncconsole
from tests.loops import new_loop

KEEP = []
LOCK = asyncio.Lock()
PIPE = asyncio.subprocess.PIPE


def task(coro, name):
    made = asyncio.get_running_loop().create_task(coro, name=name)
    KEEP.append(made)
    return made


async def listen(handler):
    """A server; gives its address."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    KEEP.append(server)
    return server.sockets[0].getsockname()


async def silent(reader, _writer):
    """Never answers within the test."""
    await reader.read(1)
    await asyncio.sleep(1000)


async def serve_forever():
    """Keep-alive clients that ask for nothing."""

    async def handler(reader, writer):
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()

    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    task(server.serve_forever(), "serve")
    for number in range(20):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        KEEP.append(writer)
        task(reader.readuntil(b"never"), f"client:{number}")


async def websockets():
    """Each connection has a task that reads, one that writes from a queue, and no traffic."""
    rooms = {}

    async def handler(reader, writer):
        queue = rooms[writer] = asyncio.Queue(10)

        async def send():
            while True:
                writer.write(await queue.get())
                await writer.drain()

        async def receive():
            while line := await reader.readline():
                for other in rooms.values():
                    await other.put(line)

        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(send(), receive())

    address = await listen(handler)
    for number in range(5):
        reader, writer = await asyncio.open_connection(*address)
        KEEP.append(writer)
        task(reader.readline(), f"client:{number}")


async def pipeline():
    """Three stages with small queues; the last is slow, in a thread."""
    first, second = asyncio.Queue(2), asyncio.Queue(2)

    async def fetch():
        while True:
            await first.put(b"page")

    async def parse():
        while True:
            await second.put(await first.get())

    async def store():
        while True:
            await second.get()
            await asyncio.to_thread(time.sleep, 2)

    for stage in (fetch, parse, store):
        task(stage(), stage.__name__)


async def slow_query():
    """A lock is held while a server takes its time."""
    address = await listen(silent)

    async def query():
        async with LOCK:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"select")
            await reader.readline()

    for number in range(4):
        task(query(), f"query:{number}")


class Pool:
    """Made by hand: connections in a queue."""

    def __init__(self, size):
        self.free = asyncio.LifoQueue()
        self.size = size

    async def fill(self, address):
        for _ in range(self.size):
            self.free.put_nowait(await asyncio.open_connection(*address))

    @contextlib.asynccontextmanager
    async def connection(self):
        found = await self.free.get()
        try:
            yield found
        finally:
            self.free.put_nowait(found)


async def busy_pool():
    """All connections are in use, at a server that is slow."""
    pool = Pool(2)
    await pool.fill(await listen(silent))

    async def request():
        async with pool.connection() as (reader, writer):
            writer.write(b"x")
            await reader.readline()

    for number in range(6):
        task(request(), f"request:{number}")


class Client:
    """Many requests on one connection; a reader resolves their futures."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.pending = {}

    async def run(self):
        while line := await self.reader.readline():
            self.pending.pop(line).set_result(line)

    async def ask(self, line):
        self.pending[line] = asyncio.get_running_loop().create_future()
        self.writer.write(line)
        return await self.pending[line]


async def multiplexed():
    client = Client(*await asyncio.open_connection(*await listen(silent)))
    task(client.run(), "reader")
    for number in range(5):
        task(client.ask(b"%d\n" % number), f"ask:{number}")


async def until_signal():
    """Runs until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    task(stop.wait(), "until SIGTERM")


async def by_timer():
    """Who waits for a notification gets it from a callback of a timer, far away."""
    changed = asyncio.Condition()

    async def watch():
        async with changed:
            await changed.wait()

    async def tell():
        async with changed:
            changed.notify_all()

    loop = asyncio.get_running_loop()
    loop.call_later(900, lambda: KEEP.append(loop.create_task(tell())))
    for number in range(3):
        task(watch(), f"watch:{number}")


async def by_thread():
    """An event that a thread sets when it has done its work."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()

    def work():
        time.sleep(900)
        loop.call_soon_threadsafe(ready.set)

    threading.Thread(target=work, daemon=True).start()
    task(ready.wait(), "wait for the thread")


class Answers(asyncio.Protocol, asyncio.DatagramProtocol):
    """Resolves futures in callbacks of a transport."""

    def __init__(self):
        self.waiting = []
        self.closed = asyncio.get_running_loop().create_future()

    def data_received(self, data):
        self.waiting.pop().set_result(data)

    def datagram_received(self, data, _address):
        self.data_received(data)

    def connection_lost(self, _error):
        self.closed.set_result(None)

    async def answer(self):
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        return await future


async def protocols():
    loop = asyncio.get_running_loop()
    _, tcp = await loop.create_connection(Answers, *await listen(silent))
    _, udp = await loop.create_datagram_endpoint(Answers, local_addr=("127.0.0.1", 0))
    read_end, write_end = os.pipe()
    KEEP.append(write_end)
    _, pipe = await loop.connect_read_pipe(Answers, os.fdopen(read_end, "rb"))
    for name, protocol in (("tcp", tcp), ("udp", udp), ("pipe", pipe)):
        task(protocol.answer(), f"answer:{name}")

        async def closed(protocol=protocol):
            await protocol.closed

        task(closed(), f"closed:{name}")


async def interpreter():
    """One child answers one question at a time, and slowly; others wait for their turn."""
    source = "import sys, time; sys.stdin.readline(); time.sleep(1000)"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", source, stdin=PIPE, stdout=PIPE
    )
    turn = asyncio.Lock()

    async def ask(question):
        async with turn:
            child.stdin.write(question)
            await child.stdin.drain()
            return await child.stdout.readline()

    for number in range(3):
        task(ask(b"question\n"), f"ask:{number}")
    task(child.wait(), "supervisor")


async def many_children():
    """A semaphore bounds how many run at a time; all of them are slow."""
    slots = asyncio.Semaphore(2)

    async def convert():
        async with slots:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "import time; time.sleep(1000)", stdout=PIPE
            )
            await child.communicate()

    for number in range(6):
        task(convert(), f"convert:{number}")


async def proxy():
    """Pumps in both directions between a client that floods and a server that is slow."""

    async def slow(reader, writer):
        while data := await reader.read(1000):
            await asyncio.sleep(0.05)
            writer.write(data * 10)
            await writer.drain()

    async def pump(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    address = await listen(slow)

    async def accept(reader, writer):
        to_reader, to_writer = await asyncio.open_connection(*address)
        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))

    reader, writer = await asyncio.open_connection(*await listen(accept))

    async def flood():
        while True:
            writer.write(b"x" * 100_000)
            await writer.drain()

    async def read():
        while await reader.read(500):
            await asyncio.sleep(0.1)

    task(flood(), "flood")
    task(read(), "read")


async def bare_sockets():
    import socket

    loop = asyncio.get_running_loop()
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    for one in (server, client):
        one.setblocking(False)

    async def accept():
        while True:
            found, _ = await loop.sock_accept(server)
            KEEP.append(found)

    task(accept(), "accept")
    task(loop.sock_recv(client, 100), "receive")


async def generators():
    """A feed that is an async generator over a stream."""
    reader, writer = await asyncio.open_connection(*await listen(silent))
    KEEP.append(writer)

    async def feed():
        async with LOCK:
            async for line in reader:
                yield line

    async def consume():
        async for line in feed():
            KEEP.append(line)

    task(consume(), "consume")
    task(consume(), "behind it")


async def graceful_stop():
    """Whoever stops the service waits until the last client, which is slow, has gone."""
    address = await listen(silent)
    left = asyncio.Event()

    async def client():
        try:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"x")
            await reader.read()
        finally:
            left.set()

    async def stop():
        await left.wait()

    task(client(), "client")
    task(stop(), "stop")


async def throttled():
    """A token bucket that a timer task fills."""
    tokens = asyncio.Queue()

    async def fill():
        while True:
            await asyncio.sleep(5)
            tokens.put_nowait(1)

    async def call():
        await tokens.get()

    task(fill(), "fill")
    for number in range(5):
        task(call(), f"call:{number}")


async def leader_and_followers():
    """Followers wait for a future that the leader resolves when its server answers."""
    address = await listen(silent)
    shared = asyncio.get_running_loop().create_future()

    async def lead():
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"x")
        shared.set_result(await reader.readline())

    async def follow():
        return await asyncio.shield(shared)

    task(lead(), "leader")
    for number in range(3):
        task(follow(), f"follower:{number}")


class Service:
    """Enters its lock at its start, in a stack that it leaves when it is stopped."""

    def __init__(self):
        self.stack = contextlib.AsyncExitStack()
        self.over = asyncio.Event()

    async def start(self):
        await self.stack.enter_async_context(LOCK)

    async def stop(self):
        await self.stack.aclose()


async def exit_stack():
    """The lock is with an object, not with a task; a signal has it given back."""
    service = Service()
    KEEP.append(service)
    await task(service.start(), "start")

    async def behind():
        async with LOCK:
            pass

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, lambda: task(service.stop(), "stop"))
    for number in range(2):
        task(behind(), f"behind:{number}")


class Lease:
    """Has a lock from its start to its end, by the methods that `async with` calls."""

    async def begin(self):
        await LOCK.__aenter__()

    async def end(self):
        await LOCK.__aexit__(None, None, None)


async def lease():
    """Somebody else than who took the lock gives it back, when a client has gone."""
    held = Lease()
    await task(held.begin(), "begin")

    async def watch():
        reader, writer = await asyncio.open_connection(*await listen(silent))
        KEEP.append(writer)
        await reader.read(1)
        await held.end()

    async def behind():
        async with LOCK:
            pass

    task(watch(), "watch")
    task(behind(), "behind")


async def main(name):
    await globals()[name]()
    await asyncio.sleep(1)
    print(asyncconsole.start(port=0, unix_socket=False).port, flush=True)
    await asyncio.sleep(1000)


if __name__ == "__main__":
    loop = new_loop("uvloop" if sys.argv[2:] == ["uvloop"] else "asyncio")
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main(sys.argv[1]))
