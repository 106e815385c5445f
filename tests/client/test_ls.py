"""`ls`: consoles that answer, that don't, and that are gone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.client.cli import client, document, record
from tests.client.fake import Server, answering, silent
from tests.client.fake import document as messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def pids() -> Iterator[list[int]]:
    """Three processes that live as long as the test."""
    children = [
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(3)
    ]
    yield [child.pid for child in children]
    for child in children:
        child.communicate(b"\n")


def loops(*each: dict[str, object]) -> dict[str, list[dict[str, object]]]:
    return {"loops --json": messages({"schema": "asyncconsole/loops/1", "loops": list(each)})}


def test_none(tmp_path: Path) -> None:
    done = client(tmp_path, "ls")
    assert (done.returncode, done.stdout) == (0, "")
    assert "asyncconsole run" in done.stderr
    assert document(client(tmp_path, "ls", "--json")) == {
        "schema": "asyncconsole/consoles/1",
        "consoles": [],
    }


def test_each_as_it_is(tmp_path: Path, pids: list[int]) -> None:
    ok, stuck, mute = pids
    with (
        Server(answering(loops({"id": 1, "tasks": 4}, {"id": 2, "tasks": 3}))) as first,
        Server(answering(loops({"id": 1, "tasks": 5, "blocked": 4.1}))) as second,
        Server(silent) as third,
    ):
        record(
            tmp_path, ok, port=first.port, argv=("python", "my bank.py"), at="2026-01-01T00:00:01Z"
        )
        record(tmp_path, stuck, port=second.port, at="2026-01-01T00:00:02Z")
        record(tmp_path, mute, port=third.port, at="2026-01-01T00:00:03Z")
        address = first.address
        table = client(tmp_path, "ls", "--timeout", "1")
        found = document(client(tmp_path, "ls", "--json", "--timeout", "1"))
    head, *lines = table.stdout.splitlines()
    assert head.split() == ["PID", "ADDRESS", "LOOPS", "TASKS", "AGE", "STATE", "COMMAND"]
    assert lines[0].split()[:4] == [str(ok), address, "2", "7"]
    assert " ok " in lines[0]
    assert lines[0].endswith("python 'my bank.py'")
    assert "blocked 4.1 s" in lines[1]
    assert lines[2].split()[2:4] == ["-", "-"]
    assert "no answer" in lines[2]
    rows = {row["pid"]: row for row in found["consoles"]}
    assert [row["pid"] for row in found["consoles"]] == pids
    assert rows[ok]["loops"] == 2
    assert rows[ok]["tasks"] == 7
    assert rows[ok]["state"] == "ok"
    assert rows[ok]["age"] > 0
    assert rows[stuck]["state"] == "blocked"
    assert (rows[mute]["state"], rows[mute]["loops"]) == ("no answer", None)


def test_a_dead_process_is_not_listed(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    record(tmp_path, child.pid, port=1)
    record(tmp_path, os.getpid(), port=1)
    found = document(client(tmp_path, "ls", "--json"))
    assert [row["pid"] for row in found["consoles"]] == [os.getpid()]
    assert found["consoles"][0]["state"] == "unreachable"
