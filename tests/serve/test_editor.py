"""The line editor, driven through real telnet clients in real terminals."""

import os
import shutil
import time

import pexpect
import pyte
import pytest

from tests.serve.conftest import DEADLINE, Client, descriptors, wait_until

CLIENTS = {
    "telnet": lambda port: ["telnet", "127.0.0.1", str(port)],
    "busybox": lambda port: ["busybox", "telnet", "127.0.0.1", str(port)],
    "plink": lambda port: ["plink", "-telnet", "-P", str(port), "127.0.0.1"],
}


class Screen:
    """A telnet client in a terminal of its own, and what is to be seen there."""

    def __init__(self, words, columns=100, rows=30, term="xterm-256color"):
        self.screen = pyte.HistoryScreen(columns, rows, history=2000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.child = pexpect.spawn(
            words[0],
            words[1:],
            dimensions=(rows, columns),
            env={**os.environ, "TERM": term},
            timeout=DEADLINE,
        )
        self.child.delaybeforesend = None

    def read(self, timeout=0.05):
        try:
            data = self.child.read_nonblocking(65536, timeout)
        except pexpect.TIMEOUT:
            return
        self.raw += data
        self.stream.feed(data)

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def see(self, wanted, where=None):
        """Wait until ``wanted`` stands on the screen (or ``where`` gives True for a line)."""
        end = time.monotonic() + DEADLINE
        test = where or (lambda line: wanted in line)
        while not any(map(test, self.lines)):
            assert time.monotonic() < end, "\n".join(
                [f"{wanted!r} is not to be seen:", *self.lines]
            )
            self.read()

    def see_prompt(self, text=""):
        """Wait for a prompt on the cursor's line with ``text`` typed."""
        end = time.monotonic() + DEADLINE
        while True:
            line = self.lines[self.screen.cursor.y]
            if line.startswith("bank ") and line.partition(">")[2].strip() == text:
                return
            assert time.monotonic() < end, "\n".join([f"no prompt with {text!r}:", *self.lines])
            self.read()

    def type(self, text):
        self.child.send(text)

    def enter(self, text):
        self.see_prompt()
        self.type(text)
        self.see_prompt(text)
        self.type("\r")


@pytest.fixture
def screen(request):
    opened = []

    def open_screen(program, client="telnet", **options):
        words = CLIENTS[client](program.port)
        if not shutil.which(words[0]):
            pytest.skip(f"ABSENT: {words[0]}")
        opened.append(Screen(words, **options))
        return opened[-1]

    yield open_screen
    for one in opened:
        one.child.close(force=True)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_session_with_every_client(program, screen, client):
    bank = program()
    view = screen(bank, client)
    view.enter("ps")
    view.see("3 tasks")
    view.enter("bögus→")
    view.see("No command `bögus→`")
    view.enter("exit")
    view.child.expect(pexpect.EOF)
    assert not bank.end().count("ERROR")


def test_completion_history_and_editing(program, screen):
    view = screen(program())
    view.see_prompt()
    view.type("versi\t")
    view.see_prompt("version")
    view.type("\x15st\t")
    view.see("", where=lambda line: "stacktrace" in line and "stalls" in line)
    view.see_prompt("st")
    view.type("\x15where ta\t")
    view.see_prompt("where task-")
    view.type("2\r")
    view.see("task-2 (2)")
    view.see_prompt()
    view.type("\x1b[A")
    view.see_prompt("where task-2")
    view.type("\x7f3\x01x\x05")
    view.see_prompt("xwhere task-3")
    view.type("\x03")
    view.see_prompt()


def test_a_later_session_remembers_what_was_typed(program, screen):
    bank = program()
    view = screen(bank)
    view.enter("where task-2")
    view.see("task-2 (2)")
    view.enter("exit")
    view.child.expect(pexpect.EOF)
    later = screen(bank)
    later.see_prompt()
    later.type("\x1b[A\x1b[A")
    later.see_prompt("where task-2")


def test_colours_only_where_the_terminal_has_them(program, screen):
    bank = program()
    view = screen(bank)
    view.enter("ps")
    view.see("3 tasks")
    table = view.raw.partition(b"WHERE")[0].rpartition(b"bank")[2]
    assert b"\x1b[" in table
    plain = screen(bank, term="dumb")
    plain.enter("ps")
    plain.see("3 tasks")
    view.child.close(force=True)


def test_a_resized_window_is_followed(program, screen):
    view = screen(program(), columns=100)
    view.see_prompt()
    view.child.setwinsize(30, 50)
    view.screen.resize(30, 50)
    view.type("x" * 60)
    view.see(
        "", where=lambda line: line.startswith("bank") and line.endswith("x") and len(line) == 50
    )


def test_ctrl_c_interrupts_a_command_and_ctrl_d_leaves(program, screen):
    bank = program(slow=60)
    view = screen(bank)
    view.enter("ps")
    bank.looking()
    view.type("\x03")
    view.see("Interrupted.")
    view.see_prompt()
    view.type("\x04")
    view.child.expect(pexpect.EOF)


def test_a_program_with_two_thousand_descriptors(program, screen):
    view = screen(program(fds=2000))
    view.enter("ps")
    view.see("3 tasks")
    view.enter("exit")
    view.child.expect(pexpect.EOF)


HELLO = b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x64\x00\x1e\xff\xf0\xff\xfa\x18\x00XTERM\xff\xf0"


def editor(program):
    """A telnet client by hand, at its first prompt."""
    client = program.connect()
    client.send(HELLO)
    client.until("> ")
    return client


def test_broken_text_and_escape_sequences_do_not_end_a_session(program):
    bank = program()
    client = editor(bank)
    for noise in (
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xff\xff\xfe\xc3",
        b"\x1b[" + b"1" * 5000,
        b"\x1b[<" + b"9;" * 2000 + b"M",
        b"\x1b[200~pasted\x1b[201~",
        b"\x00\x1a\x1c\x18\x05",
        b"\x12zzz\x07",
    ):
        client.send(noise)
    client.send(b"\x03")
    client.until("> ")
    client.send(b"\x15version\r")
    client.until("in bank.py")
    assert "Traceback" not in bank.end()


@pytest.mark.parametrize("noise", [b"x" * 40_000, b"\x1b[200~" + b"x" * 40_000])
def test_an_endless_line_closes_that_client_alone(program, noise):
    bank = program()
    other = editor(bank)
    client = editor(bank)
    client.send(noise)
    assert "8 KiB" in client.rest()
    other.send("version\r")
    other.until("in bank.py")


def test_typing_ahead_is_kept(program):
    bank = program()
    client = bank.connect()
    client.send(HELLO + b"version\r\nps\r\nexit\r\n")
    text = client.rest()
    assert "in bank.py" in text
    assert "3 tasks" in text


def test_a_telnet_that_answers_late_edits_its_own_lines(program):
    client = program().connect()
    client.until("> ")
    client.send(b"\xff\xfb\x18")
    client.until(b"\xff\xfc\x01\xff\xfc\x03")
    client.send(b"version\r\n")
    client.until("in bank.py")


def test_a_client_that_goes_away_leaves_nothing(program):
    bank = program(slow=60)
    client = editor(bank)
    before = descriptors(bank.pid)
    client.send(b"ps\r")
    bank.looking()
    client.sock.close()
    wait_until(lambda: descriptors(bank.pid) == before - 1)


def test_the_process_keeps_its_own_breakpoint_hook_and_terminal(run):
    """prompt_toolkit replaces sys.breakpointhook while it prompts; not in a guest."""
    out = run(
        """
import socket, sys, asyncconsole
with asyncconsole.start(port=0) as console:
    sock = socket.create_connection(("127.0.0.1", console.port))
    sock.sendall(b"\\xff\\xfb\\x18\\xff\\xfb\\x1f\\xff\\xfa\\x18\\x00XTERM\\xff\\xf0\\xff\\xfa\\x1f\\x00d\\x00\\x1e\\xff\\xf0")
    data = b""
    while b"> " not in data:
        data += sock.recv(4096)
    print(sys.breakpointhook is sys.__breakpointhook__, "prompt_toolkit" in sys.modules)
    sock.close()
"""
    )
    assert out == "True True\n"


def test_the_helper_client_fails_when_it_should(program):
    client = program().connect()
    client.send("version\nexit\n")
    with pytest.raises(AssertionError, match="did not come"):
        Client(client.sock).until("no such words")
