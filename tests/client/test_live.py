"""`top` and `watch` of the clients, on real programs in real terminals."""

from __future__ import annotations

import re
import signal
import subprocess
import termios
from typing import TYPE_CHECKING, Any

import pytest

from asyncconsole.render.painter import ENTER_SCREEN, LEAVE_SCREEN
from tests.client.cli import COMMAND, client, complaint, environment
from tests.client.test_dialogue import PATIENCE, Person
from tests.client.test_end_to_end import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Watcher(Person):
    """A person whose terminal remembers all that came."""

    def __init__(self, *words: Any, **more: str) -> None:
        self.raw = b""
        super().__init__(*words, **more)

    def _answer_queries(self, data: bytes) -> None:
        self.raw += data
        super()._answer_queries(data)

    @property
    def given_back(self) -> bool:
        """True when the window is as it was."""
        entered, left = ENTER_SCREEN.encode(), LEAVE_SCREEN.encode()
        return self.raw.count(entered) == self.raw.count(left) > 0

    @property
    def cooked(self) -> bool:
        """True when the terminal takes lines again, and shows what is typed."""
        flags = termios.tcgetattr(self.child.child_fd)[3]
        return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the console of the bank is recorded."""
    return tmp_path_factory.mktemp("runtime")


@pytest.fixture(scope="module")
def bank(runtime: Path) -> Iterator[subprocess.Popen[str]]:
    """A deadlocked program that all these tests look at."""
    with running(runtime, "bank", "--no-track") as child:
        yield child


@pytest.fixture
def person(bank: subprocess.Popen[str], runtime: Path) -> Iterator[Callable[..., Watcher]]:
    someone: list[Watcher] = []

    def start(*words: str, pid: int = bank.pid, **more: str) -> Watcher:
        someone.append(Watcher([*words, str(pid)], runtime, **more))
        return someone[-1]

    yield start
    for one in someone:
        one.child.close(force=True)


def test_top_shows_and_opens_and_leaves(person: Callable[..., Watcher]) -> None:
    top = person("top", "--every", "0.2")
    top.sees("1 deadlock: press d")
    assert "transfer:a→b" in top.shown()
    top.types("l")
    top.sees("by WAITERS")
    top.sees("ACCOUNTS['alice']")
    top.types("\r")
    top.sees("the holder now")
    top.types("q")
    top.sees("by WAITERS")
    top.types("d")
    top.sees("Found 1 deadlock")
    assert not top.given_back
    top.types("\x1b")
    top.types("q")
    assert top.leaves() == 0
    assert LEAVE_SCREEN.encode() in top.raw


def test_top_without_colours(person: Callable[..., Watcher]) -> None:
    top = person("top", NO_COLOR="1")
    top.sees("> ")
    top.sees("transfer:a→b")
    assert not re.search(rb"\x1b\[[1-9][0-9;]*m", top.raw)
    top.types("\x03")
    assert top.leaves() in {0, 130}


def test_the_program_is_killed_in_top(person: Callable[..., Watcher], runtime: Path) -> None:
    with running(runtime, "bank") as doomed:
        top = person("top", "--every", "0.2", pid=doomed.pid)
        top.sees("transfer:a→b")
        doomed.kill()
        assert top.leaves() == 3
    assert top.given_back
    assert "closed the connection" in top.shown()


def test_the_client_is_terminated_in_top(person: Callable[..., Watcher]) -> None:
    top = person("top")
    top.sees("transfer:a→b")
    assert not top.cooked
    top.child.kill(signal.SIGTERM)
    top._until(lambda: top.given_back and top.cooked, "the window")
    assert top.leaves() == 128 + signal.SIGTERM
    assert top.raw.endswith(LEAVE_SCREEN.encode())


def test_connect_watches_until_a_key_and_tops_until_q(person: Callable[..., Watcher]) -> None:
    someone = person("connect")
    someone.sees("bank ")
    someone.types("watch 0.2 ps --waiting lock\r")
    someone.sees("any key ends it")
    someone.sees("transfer:a→b")
    someone.types("x")
    someone.sees("bank ")
    someone._until(lambda: someone.given_back, "the window")
    someone.types("top\r")
    someone.sees("by SINCE")
    someone.child.setwinsize(12, 50)
    someone.screen.resize(12, 50)
    someone._until(lambda: someone.screen.display[11].startswith("q quit"), "the smaller window")
    someone.types("q")
    someone._until(lambda: someone.given_back, "the window")
    someone.types("version\r")
    someone.sees("in bank.py")
    someone.types("\x04")
    assert someone.leaves() == 0


def test_a_dumb_terminal(person: Callable[..., Watcher], runtime: Path) -> None:
    top = person("top", TERM="dumb")
    top.sees("watch 1 ps")
    assert top.leaves() == 2
    someone = person("connect", TERM="dumb")
    someone.sees("bank ")
    someone.types("top\r")
    someone.sees("one answer after the other")
    someone.types("watch 0.1 version\r")
    someone._until(lambda: someone.shown().count("(every 0.1 s)") > 1, "a second round")
    someone.types("x")
    someone._until(lambda: someone.shown().splitlines()[-1].endswith("]>"), "a prompt")
    someone.types("\x04")
    assert someone.leaves() == 0
    done = client(runtime, "top")
    assert done.returncode == 2
    assert "top needs a terminal" in complaint(done)


def test_documents_one_a_line_until_ctrl_c(
    bank: subprocess.Popen[str], runtime: Path, valid: Callable[[Any], Any]
) -> None:
    words = ["connect", str(bank.pid), "-c", "watch 0.1 ps", "--json", "--timeout", "5"]
    with subprocess.Popen(
        [*COMMAND, *words], env=environment(runtime), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for _ in range(3):
            assert valid(child.stdout.readline())["schema"] == "asyncconsole/tasks/1"
        child.send_signal(signal.SIGINT)
        assert child.wait(PATIENCE) == 130


def test_a_timeout_is_for_each_round(bank: subprocess.Popen[str], runtime: Path) -> None:
    client(runtime, "connect", "-c", "version")  # what commands need is loaded then
    words = ("connect", str(bank.pid), "--timeout", "4", "-c", "watch --count 10 0.5 version")
    done = client(runtime, *words)
    assert done.returncode == 0, done
    assert done.stdout.count("in bank.py") == 10
