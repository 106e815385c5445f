"""`connect` to several consoles at once, and to a program that is started again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.client.cli import client, complaint, document, record
from tests.client.test_dialogue import Person
from tests.client.test_end_to_end import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDED = 2**22 + 7
"""No process has this id."""


def test_one_answer_of_all(tmp_path: Path, valid: Callable[[Any], Any]) -> None:
    with running(tmp_path, "bank") as bank, running(tmp_path, "shop") as shop:
        done = client(tmp_path, "connect", "--all", "-c", "version", "-c", "ps | count")
        assert (done.returncode, done.stderr) == (0, "")
        heads = re.findall(r"(?m)^== (\S+) · \S+ \(pid (\d+)\)$", done.stdout)
        assert heads == [("bank.py", str(bank.pid)), ("shop.py", str(shop.pid))]
        assert re.search(r"in bank\.py, pid [\s\S]+\n5\n[\s\S]+in shop\.py, pid ", done.stdout)

        words = ("connect", str(shop.pid), str(bank.pid), "-c", "ps", "-c", "where nobody")
        done = client(tmp_path, *words, "--json")
        assert done.returncode == 1
        found = valid(document(done))
        assert [each["pid"] for each in found["targets"]] == [shop.pid, bank.pid]
        for each in found["targets"]:
            tasks, nobody = each["answers"]
            assert len(valid(tasks["document"])["tasks"]) >= 5
            assert (tasks["code"], nobody["code"]) == (0, 1)
            assert "nobody" in nobody["error"]
            assert nobody["error"] == each["error"]

        done = client(tmp_path, "connect", str(bank.pid), str(shop.pid), stdin="ps | count\n")
        assert done.returncode == 0
        assert done.stdout.count("==") == 2


def test_one_that_is_not_there_keeps_nobody_from_answering(tmp_path: Path) -> None:
    with running(tmp_path, "bank") as bank:
        done = client(tmp_path, "connect", str(bank.pid), ":1", "-c", "ps | count")
        assert done.returncode == 3
        assert "5\n" in done.stdout
        assert "127.0.0.1:1" in complaint(done)
        done = client(tmp_path, "connect", str(ENDED), str(bank.pid), "-c", "ps | count", "--json")
        gone, there = document(done)["targets"]
        assert done.returncode == 3
        assert (gone["address"], gone["code"], gone["answers"]) == (None, 3, [])
        assert f"process {ENDED} has no console" in gone["error"]
        assert there["pid"] == bank.pid


def test_all_of_none(tmp_path: Path) -> None:
    done = client(tmp_path, "connect", "--all", "-c", "ps")
    assert done.returncode == 3
    assert "no live console" in complaint(done)


def test_a_session_is_with_one(tmp_path: Path) -> None:
    person = Person(["connect", "--all"], tmp_path)
    person.sees("several take commands: -c")
    assert person.leaves() == 2
    done = client(tmp_path, "connect", "--reconnect", "-c", "ps")
    assert done.returncode == 2
    assert "--reconnect is for a session" in complaint(done)


def test_a_program_that_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path, "bank") as first:
        person = Person(["connect", "--reconnect"], tmp_path)
        person.sees(f"bank {first.pid}")
    person.sees("waiting for its next start; Ctrl-C leaves.")
    record(tmp_path, ENDED)  # another program's: that is no next start of this one
    with running(tmp_path, "bank") as second:
        person.sees(f"bank {second.pid}")
        person.types("ps | count\r")
        person.sees("5\n")
    person.sees("waiting for its next start")
    person.types("\x03")
    assert person.leaves() == 130
