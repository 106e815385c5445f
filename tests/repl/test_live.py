"""`console` through a real console in a real program, over a socket."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import time

import pytest

from tests.interpreters import CHECKOUT, INTERPRETERS

DEADLINE = 20.0

PROGRAM = """
import asyncio, json, sys, threading, time
import asyncconsole

async def main():
    lock = asyncio.Lock()
    block = threading.Event()
    names = {"lock": lock, "block": block}
    console = asyncconsole.start(port=0, unix_socket=False, locals=names)
    loop = asyncio.get_running_loop()
    print(json.dumps({"port": console.port}), flush=True)
    end = loop.create_future()
    def stdin():
        for line in sys.stdin:
            if line == "block\\n":
                loop.call_soon_threadsafe(block.wait, 20)
        loop.call_soon_threadsafe(end.set_result, None)
    threading.Thread(target=stdin, daemon=True).start()
    await end
    console.close()

asyncio.run(main())
"""


class Client:
    """A person at a plain socket."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.seen = ""
        self.send("version\n")  # who says nothing at first is offered telnet
        self.prompt = self.until("> ").rpartition("\n")[2] + "> "

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def until(self, wanted: str) -> str:
        while wanted not in self.seen:
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                data = b""
            assert data, (wanted, self.seen)
            self.seen += data.decode()
        head, _, self.seen = self.seen.partition(wanted)
        return head


@contextlib.contextmanager
def program(python: str):
    """A program with a console, and what connects to it; it must end well and say nothing else."""
    child = subprocess.Popen(
        [python, "-W", "error", "-c", PROGRAM],
        cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        port = json.loads(child.stdout.readline())["port"]
        with contextlib.ExitStack() as clients:

            def come() -> Client:
                client = Client(port)
                clients.callback(client.socket.close)
                return client

            yield child, come
        out, err = child.communicate(timeout=DEADLINE)
        assert (child.returncode, out) == (0, ""), err
        assert all(": console" in line for line in err.splitlines()), err  # the audit log
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_session_in_a_living_program(python) -> None:
    with program(python) as (_child, come):
        client, other = come(), come()
        client.send("console\n")
        client.until(">>> ")
        client.send("await asyncio.sleep(0, 6) * 7\n")
        assert client.until(">>> ") == "42\n"
        client.send("while not print('spins'):\n    while True: pass\n\n")
        client.until("spins\n")
        client.send("\x03")
        assert "KeyboardInterrupt" in client.until(">>> ")
        # What a statement holds and waits for is seen by the other commands.
        client.send("async with lock: print('locked'); await asyncio.sleep(1000)\n\n")
        client.until("locked\n")
        seen = ""
        end = time.monotonic() + DEADLINE
        while "waits here" not in seen and time.monotonic() < end:
            other.send("where asyncconsole-repl\n")
            seen = other.until(other.prompt)
        assert "<console " in seen
        assert "holds L" in seen
        client.send("\x03")
        assert "KeyboardInterrupt: cancelled" in client.until(">>> ")
        client.send("lock.locked()\n")
        assert client.until(">>> ") == "False\n"
        client.send("import sys; sys.exit(3)\n")
        client.until("> ")  # the console's own prompt again
        client.send("console --side\n")
        client.until("side>>> ")
        client.send("await asyncio.sleep(0, 'beside')\n")
        assert client.until("side>>> ") == "'beside'\n"
        other.send("loops\n")
        loops = other.until(other.prompt)
        assert "asyncconsole-repl" not in loops.partition("THREAD")[2]
        # A client that is gone takes its statement with it.
        third = come()
        third.send("console\nasync with lock: print('locked'); await asyncio.sleep(1000)\n\n")
        third.until("locked\n")
        # Reset, for a plain client that only ends its side still gets its answers.
        third.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        third.socket.close()
        client.send("exit()\n")
        client.until("> ")
        client.send("console\n")
        client.until(">>> ")
        client.send("async with lock: print('free')\n\n")
        client.until("free\n")


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_blocked_program_offers_a_side_loop(python) -> None:
    with program(python) as (child, come):
        client = come()
        child.stdin.write("block\n")
        child.stdin.flush()
        end = time.monotonic() + DEADLINE
        said = ""
        while "BLOCKED" not in said:
            assert time.monotonic() < end
            client.send("version\n")
            said = client.until("> ")
        client.send("console\n")
        said = client.until("Use a side-loop REPL? [Y/n] ")
        assert "Loop 1 has been blocked for " in said
        client.send("\n")
        client.until("side>>> ")
        client.send("block.set()\n")
        client.until("side>>> ")
        client.send("exit()\n")
