"""Pools and owners as the console shows them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.children import ENVIRONMENT, connect
from tests.libraries.seen import HERE, needs


@pytest.fixture(scope="module")
def ask():
    needs(sys.executable, "aiohttp", "anyio")
    process = subprocess.Popen(
        [sys.executable, HERE / "pool_served.py"], env=ENVIRONMENT, stdout=subprocess.PIPE
    )
    try:
        port = int(process.stdout.readline())

        def ask(command, *options):
            done = connect(port, command, options=options)
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield ask
    finally:
        process.kill()
        process.communicate(timeout=20)


def test_locks(ask, valid):
    text = ask("locks")
    assert "aiohttp.TCPConnector" in text
    assert "2/2 in use, 1 waiting" in text
    assert "1 more: holder unknown" in text
    assert "taken by acquire()" in text  # the owner of anyio's lock
    document = valid(json.loads(ask("locks", "--json")))
    (pool,) = [item for item in document["resources"] if item["unknown"] is not None]
    assert pool["unknown"] == 1
    assert [(h["name"], h["how"], h["certain"]) for h in pool["holders"]] == [
        ("inside", "stack", True)
    ]
    assert [waiter["name"] for waiter in pool["waiters"]] == ["wants"]
    (lock,) = [item for item in document["resources"] if item["name"] == "LOCK"]
    assert [(h["name"], h["how"], h["line"]) for h in lock["holders"]] == [("owner", "owner", 0)]


def test_one_pool_in_full(ask):
    document = json.loads(ask("locks", "--json"))
    (number,) = [item["id"] for item in document["resources"] if item["unknown"] is not None]
    text = ask(f"lock {number}")
    assert "in_use: 2" in text
    assert "the holder now: inside" in text


def test_ps_and_where(ask, valid):
    tasks = valid(json.loads(ask("ps --waiting pool", "--json")))["tasks"]
    assert [task["name"] for task in tasks] == ["wants"]
    assert "waiting for aiohttp.TCPConnector" in ask("where wants")
    assert "holds" in ask("where inside")
    assert "LOCK, taken by acquire()" in ask("where owner")


def test_nothing_is_wrong(ask):
    assert json.loads(ask("deadlocks", "--json"))["findings"] == []
