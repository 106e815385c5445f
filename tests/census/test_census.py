"""``locks --all`` of a program with primitives in every place, on every interpreter."""

import json
import re
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.children import ENVIRONMENT, connect
from tests.interpreters import INTERPRETERS

NAMED = {
    ("Lock", "IDLE"),
    ("Lock", "LOCKS['alice']"),
    ("Lock", "LOCKS['bob']"),
    ("Queue", "Shop.orders"),
    ("BoundedSemaphore", "Shop.bound"),
    ("Condition", "Shop.news"),
    ("Lock", "lock of Shop.news"),
    ("LifoQueue", "KEPT['frozen']"),
    ("PriorityQueue", "unnamed, local of keeper()"),
    ("Semaphore", "TRAP['trap'].inside"),
}


@pytest.fixture
def shop(request):
    with subprocess.Popen(
        [request.param, "-W", "error", str(Path(__file__).with_name("shop.py"))],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.port = process.stdout.readline().strip()
        try:
            yield process
        finally:
            process.kill()


def ask(shop, *commands, options=("--json",)):
    return connect(shop.port, *commands, options=options)


def document(shop, command):
    done = ask(shop, command)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def tell(shop, line):
    shop.stdin.write(line + "\n")
    shop.stdin.flush()
    return shop.stdout.readline().split()


@pytest.mark.parametrize("shop", INTERPRETERS, indirect=True)
def test_every_primitive(shop, valid):
    address = ("127.0.0.1", int(shop.port))
    with socket.create_connection(address) as session:  # the console's own are not listed
        session.settimeout(20)
        session.sendall(b"version\n")
        assert session.recv(100)
        first = valid(document(shop, "locks --all"))
    again = valid(document(shop, "locks --all"))
    kinds = {(item["type"], item["name"]) for item in first["resources"]}
    assert kinds >= NAMED
    (lost,) = [item for item in first["resources"] if item["id"].startswith("X")]
    assert lost["type"] == "Lock"
    assert "nothing was found" in lost["name"]
    # Besides: a Barrier (3.11+), a Semaphore, two Events, and anyio's with asyncio's inside.
    assert first["total"] == len(first["resources"]) <= 18
    assert [item["id"] for item in again["resources"]] == [
        item["id"] for item in first["resources"]
    ]
    ids = {item["name"]: item["id"] for item in first["resources"]}
    alice = next(item for item in first["resources"] if item["name"] == "LOCKS['alice']")
    assert [holder["name"] for holder in alice["holders"]] == ["w0"]
    assert [waiter["name"] for waiter in alice["waiters"]] == ["w1"]
    plain = {item["name"]: item["id"] for item in document(shop, "locks")["resources"]}
    assert plain["LOCKS['alice']"] == ids["LOCKS['alice']"]
    assert "IDLE" not in plain
    assert document(shop, f"lock {ids['IDLE']}")["resource"]["name"] == "IDLE"
    done = ask(shop, "lock X1")
    assert done.returncode == 1
    assert "of one listing only" in done.stderr
    assert tell(shop, "trapped?")[0] == "fine"  # no walk has run code of the program's


@pytest.mark.parametrize("shop", INTERPRETERS[-1:], indirect=True)
def test_when_there_is_no_copy(shop, valid):
    found = valid(document(shop, "locks --all --copy-limit 0"))
    assert "it is not forked" in found["how"]
    assert ("Lock", "IDLE") in {(item["type"], item["name"]) for item in found["resources"]}
    assert not [item for item in found["resources"] if item["id"].startswith("X")]
    shown = ask(shop, "locks --all --copy-limit 0 --limit 2", options=()).stdout
    assert "2 of them shown" in shown
    assert len(re.findall(r"^L\d+ ", shown, re.MULTILINE)) == 2
    assert "Only those that" in shown
    for wrong in ("locks --limit 0", "locks --all --copy-limit nan"):
        assert ask(shop, wrong).returncode == 2


@pytest.mark.parametrize("shop", INTERPRETERS[1:2], indirect=True)
def test_a_blocked_loop_and_several_sessions(shop):
    assert tell(shop, "block") == ["blocked"]
    with ThreadPoolExecutor(3) as sessions:
        found = list(sessions.map(lambda _: document(shop, "locks --all"), range(3)))
    for one in found:
        assert one["how"].startswith("Found among")
        assert one["resources"][0]["id"] == "L1"
