"""What clients may do to a console: all of it to one program, which is as before in the end."""

import contextlib
import json
import os
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.serve.conftest import DEADLINE
from tests.torture.conftest import LONG

THOUSAND = 1000
SESSIONS = 1_000_000 if LONG else 300
AT_ONCE = 4
LINES = ("nonsense", "help where", "nonsense", "version") * 30 + ("loops", "ps --limit 3", "locks")
"""What short sessions ask. What takes long is seldom among it: this is about coming and going."""


@pytest.fixture(autouse=True)
def as_before(victim):
    yield
    for sock in victim.clients:
        sock.close()
    victim.clients.clear()
    victim.settled(victim.before)


@pytest.fixture(autouse=True, scope="module")
def silence(victim):
    """None of this is a reason to write into the program's log, which would fill."""
    yield
    os.set_blocking(victim.process.stderr.fileno(), False)
    assert not victim.process.stderr.buffer.read()


def reset(sock):
    """Hang up as a crashed machine's kernel does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_a_thousand_half_open_connections(victim):
    owner = victim.connect()
    owner.send("version\n")
    owner.until("asyncconsole")
    for _ in range(THOUSAND):
        victim.connect()
    assert victim.facts()["clients"] <= 65
    owner.send("version\n")
    owner.until("asyncconsole")
    assert "asyncconsole" in victim.command("version")


def test_a_thousand_clients_that_connect_and_drop(victim):
    for number in range(THOUSAND):
        client = socket.create_connection(("127.0.0.1", victim.port), timeout=DEADLINE)
        if number % 3 == 1:
            client.sendall(b"ASYNCCONSOLE/1 {}\n" if number % 2 else b"\xff\xfb\x18")
        if number % 2:
            reset(client)
        else:
            client.close()
    assert "asyncconsole" in victim.command("version")


@pytest.mark.parametrize("before", [b"ps\n", b"ASYNCCONSOLE/1 {}\n", b"\xff\xfb\x18\xff\xfb\x1f"])
def test_ten_megabytes_in_a_line(victim, before):
    client = victim.connect()
    client.send(before)
    thread = threading.Thread(target=pour, args=(client.sock, b"x" * 65536, 160))
    thread.start()
    client.rest()
    client.sock.close()
    thread.join(DEADLINE)


@pytest.mark.parametrize("sub", [b"x", b"\xff\xff", b"\xff\xfa\x18"])
def test_a_subnegotiation_without_end(victim, sub):
    client = victim.connect()
    thread = threading.Thread(
        target=pour, args=(client.sock, b"\xff\xfb\x18\xff\xfa\x18" + sub * 20000, 60)
    )
    thread.start()
    if sub == b"\xff\xfa\x18":  # many that are given up, one after the other: only tedious
        thread.join(DEADLINE)
    else:
        client.rest()
    client.sock.close()
    thread.join(DEADLINE)


def pour(sock, piece, times):
    with contextlib.suppress(OSError):
        for _ in range(times):
            sock.sendall(piece)


def test_slow_readers_and_resets(victim):
    """Clients that ask much and read little, and go away in the middle of an answer."""
    deaf = []
    for number in range(20):
        client = victim.connect()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asked = b"ps\n" * 60 if number % 2 else b"ASYNCCONSOLE/1 {}\n" + b'{"run": "ps"}\n' * 60
        client.send(asked)
        client.sock.recv(100)
        deaf.append(client.sock)
    assert "asyncconsole" in victim.command("version")
    for number, sock in enumerate(deaf):
        victim.clients.remove(sock)
        if number % 3:
            reset(sock)
        else:
            sock.close()


def test_nonsense_of_all_kinds(victim):
    openings = [
        b"", b"\n", b"\0", b"\xff", b"\xff\xf4\xff\xfd\x06", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n",
        b"ASYNCCONSOLE/1 ", b"ASYNCCONSOLE/1 []\n", b'ASYNCCONSOLE/1 {"width": 1e999}\n{}\n',
        b'ASYNCCONSOLE/1 {"interactive": true}\n{"line": "\\ud800"}\n{"complete": "\\u0000"}\n',
        b"\xed\xa0\x80\xf0\x9f\n" * 50, b"\x1b[200~" * 100, b"help " + b"'" * 999 + b"\n", b"\x04", b"\x03" * 99,
        b"ps | sort | head\n", b"[" * 60000 + b"\n", b"ASYNCCONSOLE/1 {}\n" + b"[" * 60000 + b"\n",
    ]  # fmt: skip
    for opening in openings:
        client = victim.connect()
        client.send(opening)
        client.sock.shutdown(socket.SHUT_WR)
        client.rest()


def session(port, number):
    """One short session, of any kind; it gets its answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as sock:
        if number % 8:
            line = LINES[number % len(LINES)]
            sock.sendall(f"ASYNCCONSOLE/1 {{}}\n{json.dumps({'run': line})}\n".encode())
            wanted = b'"done": '
        else:
            sock.sendall(b"version\nexit\n")
            wanted = b"asyncconsole"
        said = b""
        while wanted not in said:
            piece = sock.recv(65536)
            assert piece, said
            said += piece


@pytest.mark.timeout(0 if LONG else 120)
def test_short_sessions_without_number(victim):
    """Accept, answer, close: memory, threads, descriptors and tasks stay flat."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in range(0, SESSIONS, SESSIONS // 100):
            numbers = range(first, first + SESSIONS // 100)
            for _ in pool.map(session, [victim.port] * len(numbers), numbers):
                pass
            if LONG:
                facts = victim.facts()
                print(f"{numbers[-1] + 1:>9,} sessions: {json.dumps(facts)}", flush=True)
