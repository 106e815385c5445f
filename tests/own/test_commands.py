"""A program's own commands through the front door."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import time

import pytest

from tests.children import ENVIRONMENT, connect
from tests.interpreters import CHECKOUT, INTERPRETERS, runs
from tests.own.person import DEADLINE, Person


class Shop:
    """The program, and people who talk to it."""

    def __init__(self, python: str, kind: str = "asyncio", *more: str) -> None:
        self.child = subprocess.Popen(
            [python, "-W", "error", "-m", "tests.own.shop", kind, *more],
            cwd=CHECKOUT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = self.child.stdout.readline()
        if not line:
            said = self.child.communicate()[1]
            if "No module named 'uvloop'" in said:
                pytest.skip("uvloop is not installed for this interpreter")
            raise AssertionError(said)
        self.port = json.loads(line)["port"]
        self.wrote: list[str] = []
        self._people: list[Person] = []

    def do(self, word: str) -> None:
        self.child.stdin.write(word + "\n")
        self.child.stdin.flush()
        assert self.child.stdout.readline() == word + "\n"

    def come(self) -> Person:
        self._people.append(Person(self.port))
        return self._people[-1]

    def ask(self, *lines: str) -> str:
        """What one person gets for these lines, the prompts left out."""
        first = self._people[0] if self._people else self.come()
        return "".join(map(first.ask, lines))

    def leave(self) -> None:
        for person in self._people:
            person.leave()

    def end(self) -> str:
        """Let it end well; what it wrote to stderr."""
        self.leave()
        _, errors = self.child.communicate(timeout=DEADLINE)
        assert self.child.returncode == 0, errors
        return errors


@pytest.fixture
def shop():
    with contextlib.ExitStack() as stack:

        def start(*words: str) -> Shop:
            found = Shop(*words)
            stack.callback(found.child.communicate)
            stack.callback(found.leave)
            stack.callback(found.child.kill)
            return found

        yield start


@pytest.fixture(scope="module")
def shared():
    """``shared(python)``: one program for all tests that leave it as it was."""
    started = {}

    def find(python: str) -> Shop:
        if python not in started:
            started[python] = Shop(python)
        return started[python]

    yield find
    try:
        for program in started.values():
            lines = program.end().splitlines()
            logged = [line.partition(" ran: ")[2] for line in lines if " ran: " in line]
            assert logged == program.wrote, lines
            assert len(lines) == 2 * len(logged), lines  # and how each ended
    finally:
        for program in started.values():
            program.child.kill()
            program.child.communicate()


@pytest.mark.alone  # each must begin within its half second
@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop", "eager"))
def test_each_runs_where_it_belongs(shop, python, kind):
    program = shop(python, kind)
    for pause in ("0", "0.01"):
        said = program.ask(f"where-am-i {pause}")
        assert said == "MainThread\nyes\nasyncconsole-command-where-am-i\n3 rows\n"
    assert program.ask("inside", "beside", "thread") == "yes\nno\nno\n"
    assert program.ask("broken-inside").startswith("`broken-inside` raised ValueError('bad")
    assert "was not done after 0.5 s: it waited at shop.py:" in program.ask("hangs")
    assert "and kept loop 1 blocked. It was stopped." in program.ask("spins")
    assert program.ask("inside") == "yes\n"
    program.end()


@pytest.mark.parametrize("python", INTERPRETERS)
def test_words_become_typed_values(shared, python):
    program = shared(python)
    said = program.ask(
        "greet bob",
        "greet 'al ice' 3 eve dan --loud --mode long --level high --suffix=! --factor -2",
    )
    assert said == (
        "hello bob 1 () short Level.LOW None 1.5\n"
        "HELLO AL ICE 3 ('EVE', 'DAN') LONG LEVEL.HIGH ! -2.0\n"
    )
    for line, complaint in (
        ("greet", "greet: the following arguments are required: NAME. Try `help greet`."),
        ("greet bob x", "greet: argument TIMES: `x` is no int. Try `help greet`."),
        ("greet bob --factor nan", "greet: argument --factor: `nan` is no float. Try"),
        ("greet bob --mode lomg", "`lomg` is none of them; the nearest is `long`"),
        ("greet bob --lod", "greet: no option `--lod`. Did you mean `--loud`?"),
        ("reload", "reload: the following arguments are required: --shards"),
        ("gret bob", "No command `gret`. Did you mean `greet`?"),
    ):
        assert complaint in program.ask(line), line
    assert program.ask("reload --shards 2 --no-dry-run") == "reloaded False 2\n"
    program.wrote += ["reload --shards 2 --no-dry-run"]
    said = program.ask("help greet")
    assert said.startswith("greet [--json] [--loud] [--mode {short,long}]")
    assert "Greet somebody.\nMore than once if need be, 100 %.\n" in said
    assert "Who else, as many as there are." in said
    assert "Returns" not in said
    assert "runs in a thread of its own, for 10 s at most." in said
    listed = program.ask("help")
    assert "The program's own\n" in listed
    assert "  orders, o" in listed


@pytest.mark.parametrize("python", INTERPRETERS)
def test_answers_are_text_tables_and_documents(shared, python, valid):
    program = shared(python)
    assert program.ask("o").splitlines() == [
        "ITEM   PRICE  PAID  NOTE",
        "tea    2.5    yes",
        "a cup  nan          HIGH",
        "2 rows",
    ]
    assert program.ask("stock") == "tea   3\ncups  [1, 2]\nat    <class 'object'>\n"
    said = program.ask("many").splitlines()
    assert (len(said), said[-1]) == (10_001, "10,007 rows; the first 10,000 are shown")
    assert "whose repr raised RuntimeError('no repr')" in program.ask("rude")
    done = connect(program.port, "orders", "greet bob", options=("--json",))
    assert (done.returncode, done.stderr) == (0, "")
    orders, greeting = map(valid, done.stdout.splitlines())
    assert orders == {
        "schema": "asyncconsole/command/1",
        "command": "orders",
        "value": [
            {"item": "tea", "price": 2.5, "paid": True},
            {"item": "a\ncup", "price": "nan", "note": "HIGH"},
        ],
        "left_out": 0,
    }
    assert greeting["value"].startswith("hello bob")


@pytest.mark.parametrize("python", INTERPRETERS)
def test_one_that_raises_is_told_in_a_line_and_in_full_on_request(shared, python, valid):
    program = shared(python)
    assert program.ask("traceback") == "No command of the program has raised anything.\n"
    done = connect(program.port, "broken")
    assert (done.returncode, done.stdout) == (1, "")
    line = done.stderr
    assert line.count("\n") == 1
    assert "`broken` raised ValueError('bad\\x1b[31m host'), at shop.py:" in line
    assert "broken. `traceback` shows all of it." in line
    said = program.ask("traceback broken")
    assert said.startswith("Traceback (most recent call last):\n")
    assert "in broken" in said
    assert "asyncconsole/" not in said
    assert "has not raised" in program.ask("traceback greet")
    found = valid(connect(program.port, "traceback", options=("--json",)).stdout)
    assert found["command"] == "broken"
    # What would end a program, or a loop, ends neither.
    for how, name in (("exit", "SystemExit"), ("keys", "KeyboardInterrupt")):
        for command in ("broken", "broken-inside"):
            assert f"`{command}` raised {name}('bad" in program.ask(f"{command} {how}")
    assert program.ask("inside") == "yes\n"


@pytest.mark.alone  # each must begin within its half second
@pytest.mark.parametrize("python", INTERPRETERS)
def test_one_that_hangs_is_stopped_and_says_where(shop, python):
    program = shop(python)
    beside = program.come()
    said = program.ask("stubborn")
    assert "it waited at shop.py:" in said
    assert said.endswith("It was told to stop, and goes on all the same.\n")
    assert "asyncconsole-command-stubborn" in program.ask("ps")
    said = program.ask("sleeps")
    assert "it ran at shop.py:" in said
    assert said.endswith("sleeps. It is in a call that can't be stopped, and ends after that.\n")
    assert "It was stopped." in program.ask("spins-beside")
    program.do("few")
    assert "goes on all the same" in program.ask("stubborn --json")
    assert "3 calls of the program's commands have not ended" in program.ask("greet bob")
    program.do("free")
    end = time.monotonic() + DEADLINE
    while "hello" not in (said := program.ask("greet bob")):
        assert time.monotonic() < end, said
    # Ctrl-C ends one that waits, and so does a client that goes.
    beside.send("waits")
    assert program.child.stdout.readline() == "waits\n"
    beside.press(b"\x03")
    assert "Interrupted." in beside.answer()
    assert program.child.stdout.readline() == "waited\n"
    beside.send("waits")
    assert program.child.stdout.readline() == "waits\n"
    # Reset, for a plain client that only ends its side still gets its answers.
    beside.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    beside.leave()
    assert program.child.stdout.readline() == "waited\n"
    program.end()


@pytest.mark.alone  # each must begin within its half second
@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_blocked_loop_is_named(shop, python):
    program = shop(python)
    program.do("block")
    end = time.monotonic() + DEADLINE
    watcher = program.come()
    while "BLOCKED" not in watcher.last:
        assert time.monotonic() < end
        watcher.ask("version")
    assert program.ask("thread") == "no\n"
    said = program.ask("spins")
    assert "`spins` was not done after 0.5 s: loop 1 is blocked in shop.py:" in said
    assert "so it has not begun, and was taken back." in said
    program.do("free")
    assert program.ask("inside") == "yes\n"
    program.end()


def test_commands_come_and_change_while_the_console_runs(shop):
    program = shop(INTERPRETERS[-1].values[0])
    assert "No command `added`" in program.ask("added")
    program.do("late")
    assert program.ask("added") == "added\n"
    program.do("late")
    program.do("again")
    assert program.ask("greet") == "another\n"
    assert program.ask("help greet").startswith("greet [--json]\n")
    program.end()


def test_a_write_is_logged_and_a_read_only_console_refuses_it(shop):
    program = shop(INTERPRETERS[0].values[0], "asyncio", "read-only")
    said = program.ask("reload --shards 1")
    assert "`reload` changes the program, and this console is read-only." in said
    assert program.ask("greet bob").startswith("hello bob")
    assert "`signal` changes the program, and this console" in program.ask("signal USR1")
    assert " ran: " not in program.end()
