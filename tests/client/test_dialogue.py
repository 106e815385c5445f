"""`connect` at a terminal: a real one (pexpect), its screen drawn by pyte."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, Any

import pexpect
import pyte
import pytest

from tests.client.cli import COMMAND, environment, record
from tests.client.fake import Peer, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROMPT = {"prompt": "bank 4242> ", "python": False}
PATIENCE = 20


class Person:
    """Somebody at a terminal in front of ``connect``."""

    def __init__(
        self, words: list[str], runtime: Path, command: list[str] = COMMAND, **more: str
    ) -> None:
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(
            command[0],
            [*command[1:], *words],
            env=environment(runtime, **more),
            dimensions=(24, 80),
            timeout=PATIENCE,
        )

    def sees(self, text: str) -> None:
        """Wait until the screen shows ``text``."""
        self._until(lambda: text in self.shown(), text)

    def shown(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def types(self, text: str) -> None:
        self.child.send(text.encode())

    def leaves(self) -> int:
        """The exit code, once it has ended."""
        self._until(lambda: not self.child.isalive(), "the end")
        self.child.close()
        status = self.child.exitstatus
        assert status is not None, self.child.signalstatus
        return int(status)

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"no {what!r} in\n{self.shown()}"
            try:
                self._answer_queries(self.child.read_nonblocking(65536, 0.05))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                self.child.wait() if self.child.isalive() else None
                if condition():
                    return
                pytest.fail(f"ended before {what!r} in\n{self.shown()}")

    def _answer_queries(self, data: bytes) -> None:
        self._stream.feed(data)
        if b"\x1b[6n" in data:  # where is the cursor?
            cursor = self.screen.cursor
            self.child.send(f"\x1b[{cursor.y + 1};{cursor.x + 1}R".encode())


class Console:
    """An interactive console that answers lines by itself."""

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, peer: Peer, server: Server) -> None:
        server.got.append(peer.greeted())
        peer.send({"out": "welcome\n"}, PROMPT)
        while (message := peer.receive()) is not None:
            server.got.append(message)
            if "line" in message:
                line = message["line"]
                peer.send(*self.answers.get(line, [{"out": f"did {line}\n"}, PROMPT]))
            elif "complete" in message:
                peer.send({"completions": ["cancel"], "replace": len(message["complete"])})
            elif message.get("eof"):
                peer.send({"out": "\n"}, {"bye": ""})
                return
            elif message.get("interrupt"):
                peer.send({"out": "Interrupted.\n"}, PROMPT)


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture
def server(console: Console) -> Iterator[Server]:
    with Server(console) as running:
        yield running


@pytest.fixture
def person(server: Server, tmp_path: Path) -> Iterator[Person]:
    someone = Person(["connect", server.address], tmp_path)
    yield someone
    someone.child.close(force=True)


def waits_for(server: Server, message: dict[str, Any]) -> None:
    end = time.monotonic() + PATIENCE
    while message not in server.got:
        assert time.monotonic() < end, server.got
        time.sleep(0.01)


def test_lines_completion_and_end(person: Person, server: Server) -> None:
    person.sees("bank 4242>")
    assert server.got[0] == {
        "interactive": True,
        "width": 80,
        "colour": True,
        "height": 24,
        "keys": True,
        "screen": True,
    }
    person.types("ps --all\r")
    person.sees("did ps --all\nbank 4242>")
    person.types("ca\t")
    person.sees("bank 4242> cancel")
    assert {"complete": "ca"} in server.got
    person.types("3\r")
    person.sees("did cancel 3")
    person.types("\x04")
    assert person.leaves() == 0
    assert {"eof": True} in server.got


def test_history_is_kept_and_private(person: Person, server: Server, tmp_path: Path) -> None:
    person.sees("bank 4242>")
    person.types("locks\r")
    person.sees("did locks")
    person.types("\x04")
    assert person.leaves() == 0
    path = tmp_path / "state" / "asyncconsole" / "history"
    assert "+locks" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Person(["connect", server.address], tmp_path)
    again.sees("bank 4242>")
    again.types("\x1b[A\r")
    again.sees("did locks")
    again.types("\x04")
    assert again.leaves() == 0


@pytest.mark.parametrize("obstacle", ["file", "directory"])
def test_history_that_cannot_be_kept_is_no_obstacle(
    obstacle: str, server: Server, tmp_path: Path
) -> None:
    if obstacle == "file":
        (tmp_path / "state").write_text("no directory")
    else:
        (tmp_path / "state" / "asyncconsole" / "history").mkdir(parents=True)
    person = Person(["connect", server.address], tmp_path)
    person.sees("bank 4242>")
    person.types("ps\r")
    person.sees("did ps\nbank 4242>")
    person.types("\x04")
    assert person.leaves() == 0


def test_ctrl_c_while_a_command_runs(person: Person, server: Server, console: Console) -> None:
    console.answers["watch"] = [{"out": "watching\n"}]
    person.sees("bank 4242>")
    person.types("watch\r")
    person.sees("watching")
    person.types("\x03")
    person.sees("Interrupted.\nbank 4242>")
    person.types("ps\r")
    person.sees("did ps")
    person.types("half a li\x03")  # at the prompt: the line is dropped
    person.types("ps 2\r")
    person.sees("did ps 2")
    person.types("\x04")
    assert person.leaves() == 0
    assert server.got.count({"interrupt": True}) == 2


def test_ctrl_c_leaves_a_console_that_says_nothing(tmp_path: Path) -> None:
    def serve(peer: Peer, server: Server) -> None:
        server.got.append(peer.greeted())
        peer.send(PROMPT)
        while (message := peer.receive()) is not None:
            server.got.append(message)

    with Server(serve) as server:
        person = Person(["connect", server.address], tmp_path)
        person.sees("bank 4242>")
        person.types("ps\r")
        waits_for(server, {"line": "ps"})
        end = time.monotonic() + PATIENCE
        while person.child.isalive():
            assert time.monotonic() < end
            person.types("\x03")
            time.sleep(0.3)
        assert person.leaves() == 130


def test_resize(person: Person, server: Server, console: Console) -> None:
    console.answers["watch"] = [{"out": "watching\n"}]
    person.sees("bank 4242>")
    person.child.setwinsize(24, 100)
    person.types("ps\r")
    waits_for(server, {"width": 100, "height": 24})
    person.sees("did ps")
    person.types("watch\r")
    person.sees("watching")
    person.child.setwinsize(24, 90)
    waits_for(server, {"width": 90, "height": 24})
    person.types("\x03")
    person.sees("Interrupted.")
    person.types("\x04")
    assert person.leaves() == 0


def test_pasted_lines_answer_one_prompt_each(person: Person, server: Server) -> None:
    person.sees("bank 4242>")
    person.types("\x1b[200~ps\nlocks\nloops\x1b[201~\r")
    person.sees("did loops\nbank 4242>")
    lines = [message["line"] for message in server.got if "line" in message]
    assert lines == ["ps", "locks", "loops"]
    person.types("\x04")
    assert person.leaves() == 0


def test_the_program_ends_while_a_line_is_typed(tmp_path: Path) -> None:
    def serve(peer: Peer, server: Server) -> None:
        peer.greeted()
        peer.send(PROMPT)
        while "go" not in server.got:
            time.sleep(0.01)

    with Server(serve) as server:
        person = Person(["connect", server.address], tmp_path)
        person.sees("bank 4242>")
        person.types("half a li")
        person.sees("half a li")
        server.got.append("go")  # type: ignore[arg-type] # a mark, not a message
        person.sees("closed the connection")
        assert person.leaves() == 3


def test_goodbye_says_why(tmp_path: Path) -> None:
    def serve(peer: Peer, server: Server) -> None:
        del server
        peer.greeted()
        peer.send(PROMPT)
        time.sleep(0.2)
        peer.send({"bye": "idle for an hour"})

    with Server(serve) as server:
        person = Person(["connect", server.address], tmp_path)
        person.sees("idle for an hour")
        assert person.leaves() == 0


def test_choice_among_several(server: Server, tmp_path: Path) -> None:
    record(tmp_path, os.getpid(), port=server.port, argv=("python", "shop.py"))
    record(tmp_path, os.getppid(), port=1)
    person = Person(["connect"], tmp_path)
    person.sees("pid:")
    assert f"{os.getpid()}  python shop.py" in person.shown()
    person.types("nonsense\r")
    person.types(f"{os.getpid()}\r")
    person.sees("bank 4242>")
    person.types("\x04")
    assert person.leaves() == 0


def test_output_arrives_while_a_line_is_typed(tmp_path: Path) -> None:
    def serve(peer: Peer, server: Server) -> None:
        server.got.append(peer.greeted())
        peer.send(PROMPT)
        time.sleep(0.5)
        peer.send({"out": "news\n"})
        while (message := peer.receive()) is not None:
            server.got.append(message)
            peer.send({"bye": ""})

    with Server(serve) as server:
        person = Person(["connect", server.address], tmp_path)
        person.sees("bank 4242>")
        person.types("lo")
        person.sees("news\nbank 4242> lo")
        person.types("cks\r")
        assert person.leaves() == 0
        assert server.got[-1] == {"line": "locks"}


def test_a_plain_terminal(server: Server, tmp_path: Path) -> None:
    person = Person(["connect", server.address], tmp_path, TERM="dumb")
    person.sees("bank 4242>")
    assert server.got[0]["colour"] is False
    person.types("ps\r")
    person.sees("did ps")
    person.types("\x04")
    assert person.leaves() == 0
