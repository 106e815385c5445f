"""`watch` and `top` over plain lines, the wire and telnet, with clients that come and go."""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from asyncconsole.render.painter import ENTER_SCREEN, LEAVE_SCREEN
from tests.serve.conftest import DEADLINE, HERE, Program, environment, wait_until
from tests.serve.test_editor import editor
from tests.serve.test_wire import hello, outcome, say


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """A program of a hundred tasks that all these tests look at."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "host.py"), json.dumps({"tasks": 100})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(XDG_RUNTIME_DIR=str(tmp_path_factory.mktemp("runtime"))),
    ) as process:
        found = Program(process, json.loads(process.stdout.readline()))
        yield found
        for sock in found.clients:
            sock.close()
        process.kill()


def plain(program):
    client = program.connect()
    client.send("version\n")
    client.until("in bank.py")
    client.until("> ")
    return client


def test_plain_lines_come_again_and_again_until_enter(bank):
    client = plain(bank)
    client.send("watch 0.1 ps\n")
    for _ in range(3):
        assert "(every 0.1 s)" in client.until("100 tasks\n")
    client.send("q\n")
    client.until("> ")
    client.send("version\n")  # the q ended it, and nothing else
    client.until("in bank.py")


def test_a_script_says_how_often(bank):
    client = bank.connect()
    client.send("watch --count 3 0.1 ps\nwatch 0.1 ps --count 2\nexit\n")
    assert client.rest().count("100 tasks\n") == 5


def test_lines_that_wait_are_not_swallowed(bank):
    client = bank.connect()
    client.send("watch 0.1 ps\nversion\n")
    client.sock.shutdown(socket.SHUT_WR)
    text = client.rest()
    assert text.count("100 tasks\n") == 1
    assert "in bank.py" in text


REFUSED = [
    ("watch 1 cancel 1", "`cancel` changes the program"),
    ("watch 1 console", "`console` can't be watched"),
    ("watch 1 watch 1 ps", "`watch` can't be watched"),
    ("watch 1 q", "`q` can't be watched"),
    ("watch 1 psx", "Did you mean `ps`?"),
    ("watch 1 ps | gerp x", "Did you mean `grep`?"),
    ("watch 1 ps --json | head", "A document can't be filtered"),
    ("watch 1 ps --jsno", "no option `--jsno`"),
    ("watch 0 ps", "S takes seconds"),
    ("watch nan ps", "S takes seconds"),
    ("watch ps", "invalid float value: 'ps'"),
    ("watch 1", "which command?"),
    ("watch --count 0 1 ps", "--count takes a number of rounds"),
    ("top", "`watch 1 ps` prints one answer after the other"),
]


def test_what_can_not_be_is_one_line_with_a_way_out(bank):
    client = plain(bank)
    for line, says in REFUSED:
        client.send(f"{line}\n")
        said = client.until("> ")
        assert says in said
        assert said.count("\n") == 1


def test_filters_and_completion_are_those_of_the_command_that_is_repeated(bank):
    client = plain(bank)
    client.send("watch --count 2 0.1 ps | grep task-22\n")
    text = client.until("> ")
    assert text.count("task-22  work") == 2
    assert "task-1" not in text
    client = bank.connect()
    hello(client, interactive=True)
    while "prompt" not in client.message():
        pass
    for typed, first in [
        ("watch 1 stac", "stacktrace"),
        ("watch 1 where task-", "task-1"),
        ("watch 1 ps | gr", "grep"),
    ]:
        say(client, complete=typed)
        assert client.message()["completions"][0] == first


def test_an_error_of_a_round_is_shown_and_the_next_one_comes(bank):
    client = plain(bank)
    client.send("watch --count 2 0.1 where nobody\n")
    assert client.until("> ").count("No task `nobody`") == 2
    client.send("watch --count 2 --json 0.1 where nobody\n")
    for _ in range(2):
        document = json.loads(client.until("\n"))
        assert document["schema"] == "asyncconsole/error/1"
        assert "No task `nobody`" in document["error"]


def test_documents_come_one_a_line_until_an_interrupt(bank, valid):
    client = bank.connect()
    hello(client)
    say(client, run="watch 0.1 ps --limit 3 --json", timeout=5)
    assert client.message() == {"every": 0.1}
    for _ in range(3):
        assert valid(client.message()["out"])["total"] == 100
    say(client, interrupt=True)
    assert outcome(client)[1:] == ("", 0)


def test_a_client_that_knows_no_keys_is_not_asked_for_them(bank):
    client = bank.connect()
    hello(client, interactive=True)
    say(client, line="watch 0.1 ps")
    seen = []
    while sum("100 tasks" in message.get("out", "") for message in seen) < 2:
        seen.append(client.message())
    assert not any("keys" in message or "every" in message for message in seen)
    say(client, interrupt=True)
    while "prompt" not in client.message():
        pass


def test_a_client_with_keys_gives_them_and_has_them_back(bank):
    client = bank.connect()
    hello(client, interactive=True, width=60, height=12, keys=True, screen=True)
    while "prompt" not in client.message():
        pass
    say(client, line="top 0.1")
    assert client.message() == {"keys": True, "screen": True}
    text = ""
    while "task-3" not in text:
        text += client.message().get("out", "")
    say(client, keys="/")
    say(client, keys="task-22\r")
    while "1 of 100" not in text:
        text += client.message().get("out", "")
    say(client, width=100, height=20)
    while "\x1b[20;1H" not in text:
        text += client.message().get("out", "")
    say(client, keys="q")
    while (message := client.message()) != {"keys": False}:
        assert "out" in message
    assert "prompt" in client.message()


def test_telnet_draws_over_the_window_and_gives_it_back(bank):
    client = editor(bank)
    client.send("watch 0.1 ps\r")
    client.until(ENTER_SCREEN)
    frame = client.until("100 tasks, 27 shown")
    assert "any key ends it" in frame
    assert "\x1b[30;1H" in frame
    assert "\x1b[31;1H" not in frame
    client.until("\x1b[1;1H")  # the next second, and nothing else
    client.send("x")
    client.until(LEAVE_SCREEN)
    client.until("> ")
    client.send("version\r")
    client.until("in bank.py")


def test_keys_may_be_typed_before_top_is_there(bank):
    client = editor(bank)
    client.send("top\r/task-17\r")
    client.until("1 of 100")
    client.send("q")
    client.until(LEAVE_SCREEN)
    client.until("> ")
    client.send("watch 0.1 ps\rversion\r")  # for `watch` it is the next line
    client.until(LEAVE_SCREEN)
    client.until("in bank.py")


def test_a_round_that_takes_long_ends_at_a_key(program):
    bank = program(slow=60)
    client = editor(bank)
    client.send("watch 0.1 ps\r")
    bank.looking()
    client.send(" ")
    client.until(LEAVE_SCREEN)
    client.until("> ")


def test_a_client_that_vanishes_leaves_no_task(program):
    bank = program()
    first = editor(bank)
    first.send("version\r")
    first.until("in bank.py")
    first.until("> ")
    before = bank.ask()["tasks"]
    for line in ("top 0.1", "watch 0.1 ps"):
        client = editor(bank)
        client.send(line + "\r")
        client.until("task-3")
        assert bank.ask()["tasks"] > before
        client.sock.close()
        wait_until(lambda: bank.ask()["tasks"] <= before)
    looks = bank.ask()["looks"]
    first.send("version\r")
    first.until("in bank.py")
    assert bank.ask()["looks"] <= looks + 1  # that of `version`


def test_a_console_that_closes_gives_the_window_back(program):
    bank = program()
    clients = [editor(bank), editor(bank)]
    for client, line in zip(clients, ("top 0.1", "watch 0.1 ps"), strict=True):
        client.send(line + "\r")
        client.until("task-3")
    bank.process.stdin.close()
    for client in clients:
        assert client.rest().endswith(LEAVE_SCREEN)
    bank.process.wait(DEADLINE)


def test_many_who_watch_the_same_share_looks(bank):
    clients = [plain(bank) for _ in range(20)]
    before = bank.ask()["looks"]
    for client in clients:
        client.send("watch --count 5 0.2 ps --limit 50\n")
    for client in clients:
        text = client.until("> ")
        assert text.count("task-50 ") == 5
        assert text.count("100 tasks, 50") == 5
    assert bank.ask()["looks"] - before < 50  # 100 answers


def test_who_watches_something_else_gets_something_else(bank):
    one, other = plain(bank), plain(bank)
    one.send("watch --count 3 0.1 ps\n")
    other.send("watch --count 3 0.1 loops\n")
    assert one.until("> ").count("100 tasks") == 3
    assert other.until("> ").count("1 loop") == 3


_WINDOWS = itertools.count()


class Tmux:
    """A window of tmux with a telnet in it."""

    def __init__(self, program, columns, rows):
        # A server of its own: one that has just been killed may still take a call.
        name = f"asyncconsole-{os.getpid()}-{next(_WINDOWS)}"
        self.words = ["tmux", "-L", name, "-f", os.devnull]
        telnet = f"telnet 127.0.0.1 {program.port}"
        size = ["-x", str(columns), "-y", str(rows)]
        self.run("new-session", "-d", "-s", "top", *size, telnet)
        self.run("set-option", "-g", "remain-on-exit", "on")

    def run(self, *words):
        done = subprocess.run(
            [*self.words, *words], capture_output=True, text=True, timeout=DEADLINE, check=True
        )
        return done.stdout

    def lines(self):
        return self.run("capture-pane", "-p", "-t", "top").splitlines()

    def see(self, wanted):
        end = time.monotonic() + DEADLINE
        while not any(wanted in line for line in self.lines()):
            assert time.monotonic() < end, "\n".join([f"no {wanted!r}:", *self.lines()])
            time.sleep(0.05)
        return self.lines()

    def type(self, *keys):
        self.run("send-keys", "-t", "top", *keys)


@pytest.fixture
def tmux():
    for word in ("tmux", "telnet"):
        if not shutil.which(word):
            pytest.skip(f"ABSENT: {word}")
    windows = []

    def start(program, columns, rows=20):
        windows.append(Tmux(program, columns, rows))
        return windows[-1]

    yield start
    for window in windows:
        window.run("kill-server")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_top_in_a_telnet_in_tmux(bank, tmux, columns):
    window = tmux(bank, columns)
    window.see(f"bank {bank.pid}>")
    window.type("top 0.2", "Enter")
    lines = window.see("tasks (100)")
    assert lines[0].startswith(f"bank.py · pid {bank.pid}")
    assert ("WHERE" in "".join(lines)) == (columns > 40)
    window.type("/", "task-17", "Enter")
    window.see("tasks (1 of 100)")
    window.type("Enter")
    window.see("> where 17")
    window.see("task-17 (17)  waiting for a future")
    window.run("resize-window", "-t", "top", "-x", "60", "-y", "12")
    window.type("Escape")
    lines = window.see("tasks (1 of 100)")
    assert len(lines) == 12
    assert lines[11].startswith("q quit")
    window.type("q")
    lines = window.see(f"bank {bank.pid}>")
    assert "top 0.2" in "\n".join(lines)  # the screen of before
    window.type("version", "Enter")
    window.see("in bank.py")


def test_a_program_that_is_killed_in_top_is_reported_by_telnet(program, tmux):
    bank = program()
    window = tmux(bank, 80)
    window.see(f"bank {bank.pid}>")
    window.type("top", "Enter")
    window.see("task-3")
    bank.process.send_signal(signal.SIGKILL)
    window.see("Connection closed by foreign host")
