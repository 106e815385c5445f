"""Programs around streams and child processes; runs in the child, with the console on.

Usage: programs.py NAME [uvloop]. Prints the console's port once the program is where it
will stay. Those whose name begins with ``ok_`` are healthy.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from pathlib import Path

import asyncconsole
from tests.loops import new_loop

PIECE = b"x" * 65536
CHILD_WRITES = "import sys; sys.stdout.write('x' * 3_000_000); sys.stdout.flush()"
CHILD_ECHOES = """
import sys
for line in sys.stdin:
    sys.stdout.write(line)
    sys.stdout.flush()
"""
CHILD_SLOW = "import time; time.sleep(1000)"


async def flood(writer, amount=64_000_000):
    for _ in range(amount // len(PIECE)):
        writer.write(PIECE)
        await writer.drain()


async def heartbeat():
    while True:
        await asyncio.sleep(0.05)


async def writes_first(reader, writer):
    await flood(writer)
    await reader.read()


def task(coro, name):
    return asyncio.get_running_loop().create_task(coro, name=name)


async def on_server(handler):
    """Serve with ``handler`` under the name server; gives the client's end."""

    async def accept(reader, writer):
        asyncio.current_task().set_name("server")
        await handler(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    return await asyncio.open_connection(host, port), server


async def both_write(keep):
    (reader, writer), server = await on_server(writes_first)
    keep += [server, task(writes_first(reader, writer), "client"), task(heartbeat(), "heartbeat")]


async def echo(keep):
    """A server that echoes, a client that sends all of it before it reads."""

    async def handler(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    (reader, writer), server = await on_server(handler)
    keep += [server, task(writes_first(reader, writer), "client")]


async def unix(keep):
    path = str(Path(tempfile.mkdtemp()) / "s")

    async def accept(reader, writer):
        asyncio.current_task().set_name("server")
        await writes_first(reader, writer)

    server = await asyncio.start_unix_server(accept, path)
    reader, writer = await asyncio.open_unix_connection(path)
    Path(path).unlink(missing_ok=True)
    keep += [server, task(writes_first(reader, writer), "client")]


async def socket_pair(keep):
    one, other = socket.socketpair()
    for name, sock in (("client", one), ("server", other)):
        reader, writer = await asyncio.open_connection(sock=sock)
        keep.append(task(writes_first(reader, writer), name))


async def sends_first(sock):
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, PIECE * 1000)
    await loop.sock_recv(sock, 100)


async def bare_sockets(keep):
    listening = socket.create_server(("127.0.0.1", 0))
    one = socket.create_connection(listening.getsockname())
    other, _ = listening.accept()
    for name, sock in (("client", one), ("server", other)):
        sock.setblocking(False)
        keep += [sock, task(sends_first(sock), name)]


class Peer:
    """Keeps its streams in attributes, as programs do."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def send_all(self):
        await writes_first(self.reader, self.writer)

    async def beat(self):
        while True:
            await asyncio.sleep(0.05)


async def objects(keep):
    async def handler(reader, writer):
        await Peer(reader, writer).send_all()

    (reader, writer), server = await on_server(handler)
    peer = Peer(reader, writer)
    keep += [server, task(peer.send_all(), "client"), task(peer.beat(), "beat")]


async def slow_reader(reader):
    while True:
        await reader.read(1024)
        await asyncio.sleep(3)


async def ok_slow_reader(keep):
    """Both ends write; one of them has another task that reads, slowly."""
    (reader, writer), server = await on_server(writes_first)
    keep += [server, task(flood(writer), "client"), task(slow_reader(reader), "slow")]


class SlowPeer(Peer):
    async def read_slowly(self):
        while True:
            await self.reader.read(1024)
            await asyncio.sleep(3)


async def ok_slow_object(keep):
    (reader, writer), server = await on_server(writes_first)
    peer = SlowPeer(reader, writer)
    keep += [server, task(peer.send_all(), "client"), task(peer.read_slowly(), "slow")]


async def ok_bounded(keep):
    (reader, writer), server = await on_server(writes_first)
    bounded = asyncio.wait_for(writes_first(reader, writer), 1000)
    keep += [server, task(bounded, "client")]


async def ok_back_pressure(keep):
    """A fast writer and a slow reader: it moves."""

    async def handler(reader, writer):
        while await reader.read(100_000):
            await asyncio.sleep(0.01)

    (_, writer), server = await on_server(handler)
    keep += [server, task(flood(writer, 10**12), "client")]


async def ok_half(keep):
    """Only one end writes; the other has not come to it yet."""

    async def handler(reader, writer):
        await asyncio.sleep(1000)
        await reader.read()

    (_, writer), server = await on_server(handler)
    keep += [server, task(flood(writer), "client")]


async def child(source, **pipes):
    return await asyncio.create_subprocess_exec(sys.executable, "-c", source, **pipes)


PIPE = asyncio.subprocess.PIPE


async def wait_full(keep):
    async def main():
        process = await child(CHILD_WRITES, stdout=PIPE)
        await process.wait()
        return await process.stdout.read()

    keep += [task(main(), "runner"), task(heartbeat(), "heartbeat")]


async def wait_full_awaited(keep):
    """The reader is kept by a task that awaits the one that waits."""

    async def wait(process):
        await process.wait()

    async def main():
        process = await child(CHILD_WRITES, stdout=PIPE, stderr=PIPE)
        await task(wait(process), "runner")
        return await process.stdout.read()

    keep.append(task(main(), "main"))


async def wait_full_stderr(keep):
    async def main():
        process = await child(CHILD_WRITES.replace("stdout", "stderr"), stdout=PIPE, stderr=PIPE)
        await process.stdout.read(0)
        await process.wait()

    keep.append(task(main(), "runner"))


async def both_first(keep):
    """Parent and child both write before they read."""

    async def main():
        process = await child(CHILD_ECHOES, stdin=PIPE, stdout=PIPE)
        for _ in range(200_000):
            process.stdin.write(b"a line of text that is sent to the child\n")
            await process.stdin.drain()
        process.stdin.close()
        await process.stdout.read()

    keep.append(task(main(), "runner"))


async def ok_read_slowly(keep):
    """One task waits for the child, another reads, with pauses."""
    process = await child(CHILD_WRITES, stdout=PIPE)
    keep += [task(process.wait(), "waits"), task(slow_reader(process.stdout), "reads")]


async def ok_lines(keep):
    async def lines(process):
        async for _ in process.stdout:
            await asyncio.sleep(3)

    source = "for i in range(10**6): print('line', i)"
    process = await child(source, stdout=PIPE)
    keep += [task(process.wait(), "waits"), task(lines(process), "reads")]


async def ok_communicate(keep):
    process = await child(CHILD_SLOW, stdin=PIPE, stdout=PIPE)
    keep.append(task(process.communicate(b"x"), "runner"))


async def ok_slow_child(keep):
    process = await child(CHILD_SLOW, stdout=PIPE)
    keep.append(task(process.wait(), "runner"))


async def ok_wait_bounded(keep):
    async def main():
        process = await child(CHILD_WRITES, stdout=PIPE)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), 1000)
        process.kill()

    keep.append(task(main(), "runner"))


async def main(name):
    keep = []
    await globals()[name](keep)
    await asyncio.sleep(1.5)
    print(asyncconsole.start(port=0, unix_socket=False).port, flush=True)
    await asyncio.sleep(1000)


if __name__ == "__main__":
    loop = new_loop("uvloop" if sys.argv[2:] == ["uvloop"] else "asyncio")
    asyncio.set_event_loop(loop)
    with contextlib.suppress(KeyboardInterrupt):
        loop.run_until_complete(main(sys.argv[1]))
    os._exit(0)
