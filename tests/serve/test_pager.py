"""Long answers in pages: in a real telnet, and in `connect` at a terminal."""

from __future__ import annotations

import sys

import pytest

from tests.client.cli import client, document
from tests.client.test_dialogue import Person
from tests.client.test_end_to_end import running
from tests.flows import test_programs

ASKS = "lines: space, Enter, q --"


BRIEF = """
import asyncio, asyncconsole
async def main():
    with asyncconsole.start(port=0, unix_socket=False, idle_timeout=2) as console:
        print(console.port, flush=True)
        await asyncio.sleep(100)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with running(folder, "shop", "--port", "0") as shop:
        yield folder, shop.pid


@pytest.fixture(params=["telnet", "connect"])
def person(request, world):
    folder, pid = world
    words, command = ["connect", str(pid)], {}
    if request.param == "telnet":
        (row,) = document(client(folder, "ls", "--json"))["consoles"]
        words, command = ["127.0.0.1", str(row["port"])], {"command": ["telnet"]}
    someone = Person(words, folder, **command)
    someone.sees(f"shop {pid}")
    yield someone
    someone.child.close(force=True)


def asks(person, shown):
    person._until(lambda: f"-- {shown} of " in person.shown() and ASKS in person.shown(), shown)


def test_pages(person):
    person.types("help\r")
    asks(person, 23)
    person.types("\r")
    asks(person, 24)
    person.types(" ")
    asks(person, 47)
    assert person.shown().count(ASKS) == 1  # what was asked is gone when it is answered
    person.types("q")
    person._until(lambda: person.shown().endswith(">"), "a prompt")
    assert ASKS not in person.shown()
    person.types("version\r")
    person.sees("in shop.py, pid")


def test_all_of_it(person):
    person.types("help\r")
    asks(person, 23)
    person.types("G")
    person.sees("`help COMMAND` tells more")
    person.types("version\r")
    person.sees("in shop.py, pid")


def test_who_types_on_gets_all_of_it_and_loses_nothing(person):
    person.types("help\r")
    asks(person, 23)
    person.types("version\r")
    person.sees("in shop.py, pid")
    assert ASKS not in person.shown()
    person.types("help\r")
    asks(person, 23)
    person.types("ver")
    person.sees("> ver")
    person.types("sion\r")
    person._until(lambda: person.shown().count("in shop.py, pid") == 1, "the version")


def test_what_was_typed_before_wants_no_pages(person):
    person.types("help\rversion\r")
    person.sees("in shop.py, pid")
    assert ASKS not in person.shown()


def test_a_short_answer_has_no_pages(person):
    person.types("version\r")
    person.sees("in shop.py, pid")
    person.types("help ps\r")
    person.sees("Example: ps --group")
    assert ASKS not in person.shown()


def test_nobody_reads_any_more(tmp_path):
    with test_programs.running(sys.executable, "-c", BRIEF) as port:
        someone = Person(["127.0.0.1", port], tmp_path, command=["telnet"])
        someone.sees(">")
        someone.types("help\r")
        asks(someone, 23)
        someone.sees("Connection closed")
        assert ASKS not in someone.shown()
